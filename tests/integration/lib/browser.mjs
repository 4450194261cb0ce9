// SPDX-License-Identifier: GPL-3.0-or-later
// The page in a real browser, found as a person finds things: by role and visible name.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

import { chromium } from 'playwright-core';

const CHROMIUM = '/usr/bin/chromium';
const TIMEOUT = 20000;

export function launchBrowser() {
  return chromium.launch({
    executablePath: CHROMIUM,
    args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--lang=en-US'],
  });
}

/**
 * A browser profile of its own for each test: cookies of one must not help the next. What the page
 * itself gets wrong, such as a script that the content security policy stops, is in `complaints`.
 */
export async function openBrowser(t, browser, options = {}) {
  const context = await browser.newContext({
    viewport: { width: 1000, height: 720 },
    locale: 'en-US',
    ...options,
  });
  t.after(() => context.close());
  return context;
}

/** Adds what a person does to a page. */
export async function openPage(context, url) {
  const page = await context.newPage();
  page.setDefaultTimeout(TIMEOUT);
  page.complaints = [];
  page.on('pageerror', (error) => page.complaints.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error')
      page.complaints.push(message.text());
  });
  if (url)
    await page.goto(url);
  return page;
}

export async function openConnected(t, browser, confabd, options) {
  const context = await openBrowser(t, browser, options);
  const page = await openPage(context, confabd.url);
  await waitConnected(page);
  return page;
}

export const messageBox = (page) => page.getByRole('textbox', { name: 'Message', exact: true });
export const button = (page, name) => page.getByRole('button', { name, exact: true });
export const isFocused = (locator) => locator.evaluate((node) => node === document.activeElement);
export const conversation = (page) => page.getByRole('region', { name: 'Conversation' });

/** The turns that are on the page, oldest first. */
export const turns = (page) => page.getByRole('article');
export const answers = (page) => turns(page).filter({
  has: page.getByRole('heading', { name: 'Answer' }),
});
export const questions = (page) => turns(page).filter({
  has: page.getByRole('heading', { name: 'You' }),
});

export const waitConnected = (page) =>
  page.getByRole('status').filter({ hasText: /^Connected$/ }).waitFor({ state: 'attached' });

export const waitLost = (page) => page.getByText('Connection lost, trying again…').waitFor();

export async function send(page, text) {
  await messageBox(page).fill(text);
  await button(page, 'Send').click();
}

/** Waits until nothing is being written any more. */
export async function waitIdle(page) {
  await button(page, 'Stop').waitFor({ state: 'hidden' });
  await button(page, 'Send').waitFor();
}

export async function ask(page, text) {
  await send(page, text);
  await waitIdle(page);
  await answers(page).last().waitFor();
}

/** Writes a picture for people to look at, where they are wanted. */
export async function shoot(page, name, options = {}) {
  const folder = process.env.CONFAB_SCREENSHOTS;
  if (!folder)
    return;
  await mkdir(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`), animations: 'disabled', ...options });
}
