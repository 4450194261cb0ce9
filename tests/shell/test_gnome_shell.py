#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""GNOME Shell itself, on a virtual monitor: our search results and our notifications in it.

It finds Confab as it is installed, starts it over D-Bus, and is used with keys and a pointer. What
it shows is kept as pictures in the folder CONFAB_SCREENSHOTS.
"""

import json
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), 'integration/lib'))
# pylint: disable=wrong-import-position
from bus import (MODULE, NAME, TROUBLE, Bus, Client, GLib, Upstream, environment,  # noqa: E402
                 make_home, wait_for)

SHELL = 'org.gnome.Shell'
# software rendering on a busy machine
PATIENCE = 90

# Every text that can be seen.
SEEN = '''(() => {
  const texts = [];
  const walk = (actor) => {
    if (!actor.mapped || actor.get_paint_opacity() === 0)
      return;
    if (actor instanceof imports.gi.Clutter.Text)
      texts.push(actor.get_text());
    actor.get_children().forEach(walk);
  };
  walk(global.stage);
  return JSON.stringify(texts);
})()'''

# A pointer, or keys, as from a device.
CLICK = '''(() => {
  const find = (actor) => actor.mapped && actor instanceof imports.gi.Clutter.Text
    && actor.get_text() === %s ? actor : actor.get_children().map(find).find(Boolean);
  const [x, y] = find(global.stage).get_transformed_position();
  const Clutter = imports.gi.Clutter;
  const pointer = global.confabPointer ??= Clutter.get_default_backend().get_default_seat()
    .create_virtual_device(Clutter.InputDeviceType.POINTER_DEVICE);
  const now = () => imports.gi.GLib.get_monotonic_time();
  pointer.notify_absolute_motion(now(), x + 5, y + 5);
  pointer.notify_button(now(), Clutter.BUTTON_PRIMARY, Clutter.ButtonState.PRESSED);
  pointer.notify_button(now(), Clutter.BUTTON_PRIMARY, Clutter.ButtonState.RELEASED);
})()'''
TYPE = '''(() => {
  const Clutter = imports.gi.Clutter;
  const keyboard = global.confabKeyboard ??= Clutter.get_default_backend().get_default_seat()
    .create_virtual_device(Clutter.InputDeviceType.KEYBOARD_DEVICE);
  const now = () => imports.gi.GLib.get_monotonic_time();
  for (const key of %s) {
    keyboard.notify_keyval(now(), key, Clutter.KeyState.PRESSED);
    keyboard.notify_keyval(now(), key, Clutter.KeyState.RELEASED);
  }
})()'''
RETURN = 0xff0d

# What the shell has to say of this odd machine comes first, and would stay until somebody moves.
NEXT = '''(() => {
  const tray = Main.messageTray;
  if (tray._notification && tray._notification.title !== %s)
    tray._expireNotification();
})()'''


def why_not():
    """The reason why the shell cannot run here, or None."""
    if not os.environ.get('CONFAB_TEST_LONG'):
        return 'only with CONFAB_TEST_LONG'
    if shutil.which('gnome-shell') is None:
        return 'gnome-shell is not installed'
    mock = subprocess.run([sys.executable, '-c', 'import dbusmock'], capture_output=True,
                          check=False)
    return 'python3-dbusmock is not installed' if mock.returncode else None


class Desktop:
    """A session with a bus, a login manager, GNOME Shell, and Confab installed in it."""

    def __init__(self, home, case):
        self.home = home
        self.share = self.install()
        self.upstream = Upstream()
        case.addClassCleanup(self.upstream.close)
        self.opened_path = os.path.join(home, 'opened')
        self.log_path = os.path.join(home, 'confabd.log')
        self.install_browser()
        self.install_service()
        self.env = environment(
            home, XDG_DATA_DIRS=f'{self.share}:/usr/share', XDG_CURRENT_DESKTOP='GNOME',
            XDG_SESSION_TYPE='wayland', LIBGL_ALWAYS_SOFTWARE='1', XDG_SESSION_ID='1')
        self.env['PATH'] = os.path.dirname(self.share) + '/bin:' + self.env['PATH']
        self.bus = Bus(env=self.env)
        case.addClassCleanup(self.bus.close)
        self.env['DBUS_SESSION_BUS_ADDRESS'] = self.bus.address
        # nothing here may meet the real login manager
        self.env['DBUS_SYSTEM_BUS_ADDRESS'] = self.bus.address
        self.connection = self.bus.connect()
        self.start(case, 'logind', 'org.freedesktop.login1', sys.executable, '-m', 'dbusmock',
                   '--system', '--template', 'logind')
        self.shell = self.start(case, 'shell', SHELL, 'gnome-shell', '--headless', '--wayland',
                                '--no-x11', '--unsafe-mode', '--virtual-monitor', '1024x768')

    def install(self):
        """Installs as packages do, with the programs that were built."""
        root = os.path.join(self.home, 'root')
        subprocess.run(['meson', 'install', '-C', os.environ['CONFAB_BUILD_ROOT'], '--no-rebuild',
                        '--destdir', root], check=True, stdout=subprocess.DEVNULL)
        for folder, folders, _names in os.walk(root):
            if os.path.basename(folder) == 'share' and 'applications' in folders:
                return folder
        raise AssertionError('nothing was installed')

    def install_browser(self):
        browser = os.path.join(self.home, 'browser')
        with open(browser, 'w', encoding='utf-8') as file:
            file.write(f'#!/bin/sh\necho "$1" >> {self.opened_path}\n')
        os.chmod(browser, stat.S_IRWXU)
        with open(os.path.join(self.share, 'applications/browser.desktop'), 'w',
                  encoding='utf-8') as file:
            file.write(f'[Desktop Entry]\nType=Application\nName=Browser\nExec={browser} %u\n'
                       'NoDisplay=true\nMimeType=x-scheme-handler/http;\n')
        os.makedirs(os.path.join(self.home, 'config'))
        with open(os.path.join(self.home, 'config/mimeapps.list'), 'w', encoding='utf-8') as file:
            file.write('[Default Applications]\nx-scheme-handler/http=browser.desktop\n')

    def install_service(self):
        """The bus starts the program with a model server, and without systemd."""
        path = os.path.join(self.share, f'dbus-1/services/{NAME}.service')
        config = os.path.join(self.home, 'confab.conf')
        with open(config, 'w', encoding='utf-8') as file:
            file.write('[confab]\nnotification-text=true\nport=0\n')
        script = os.path.join(self.home, 'confabd')
        with open(script, 'w', encoding='utf-8') as file:
            file.write(f'#!/bin/sh\nexec {os.environ["CONFABD"]} "$@" --config {config} '
                       + ' '.join(self.upstream.args) + f' 2>> {self.log_path}\n')
        os.chmod(script, stat.S_IRWXU)
        with open(path, encoding='utf-8') as file:
            service = file.read()
        service, count = re.subn(r'^Exec=\S+/confabd ', f'Exec={script} ', service, 0, re.MULTILINE)
        assert count == 1, service
        with open(path, 'w', encoding='utf-8') as file:
            file.write(re.sub('^SystemdService=.*\n', '', service, 0, re.MULTILINE))

    def start(self, case, name, wait_name, *command):
        with open(os.path.join(self.home, name + '.log'), 'wb') as log:
            # pylint: disable-next=consider-using-with
            process = subprocess.Popen(command, env=self.env, stdout=log, stderr=log)
        case.addClassCleanup(self.end, process)
        wait_for(lambda: self.has_owner(wait_name) or process.poll() is not None, name, PATIENCE)
        assert process.poll() is None, self.read(name)
        return process

    @staticmethod
    def end(process):
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def read(self, name):
        with open(os.path.join(self.home, name + '.log'), encoding='utf-8') as file:
            return file.read()

    def has_owner(self, name):
        return self.connection.call_sync(
            'org.freedesktop.DBus', '/', 'org.freedesktop.DBus', 'NameHasOwner',
            GLib.Variant('(s)', (name,)), None, 0, -1, None).unpack()[0]

    def eval(self, script):
        done = self.connection.call_sync(SHELL, '/org/gnome/Shell', SHELL, 'Eval',
                                         GLib.Variant('(s)', (script,)), None, 0, PATIENCE * 1000,
                                         None).unpack()
        assert done[0], done[1]
        return json.loads(done[1]) if done[1] else None

    def is_up(self):
        try:
            return self.eval('Main.layoutManager._startingUp') is False
        except GLib.Error as error:
            # it has its name before its objects
            self.up_error = error
            return False

    def seen(self):
        return json.loads(self.eval(SEEN))

    def wait_seen(self, text):
        wait_for(lambda: text in self.seen(), f'“{text}” on the screen', PATIENCE)

    def picture(self, name):
        folder = os.environ['CONFAB_SCREENSHOTS']
        os.makedirs(folder, exist_ok=True)
        path = os.path.join(folder, name)
        self.connection.call_sync(
            SHELL, '/org/gnome/Shell/Screenshot', SHELL + '.Screenshot', 'Screenshot',
            GLib.Variant('(bbs)', (False, False, path)), None, 0, PATIENCE * 1000, None)
        assert os.path.getsize(path) > 1000
        return path

    def opened(self):
        try:
            with open(self.opened_path, encoding='utf-8') as file:
                return file.read().split()
        except FileNotFoundError:
            return []


class WithShell(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        home = make_home()
        cls.addClassCleanup(shutil.rmtree, home, ignore_errors=True)
        cls.desktop = Desktop(home, cls)
        try:
            wait_for(cls.desktop.is_up, 'the desktop', PATIENCE)
        except AssertionError:
            print(cls.desktop.read('shell'), cls.desktop.up_error, file=sys.stderr)
            raise

    def setUp(self):
        self.client = Client(self.desktop.bus)
        self.addCleanup(self.client.close)
        self.desktop.eval('Main.overview.hide()')

    def tearDown(self):
        log = self.desktop.read('confabd')
        self.assertIsNone(TROUBLE.search(log), log)

    def ask(self, title, message):
        module = self.client.make_module(self.client.make_session('S'), title, model='raw:echo')
        self.client.end_of(module, self.client.ask(module, message))
        return self.client.get(module, MODULE, 'Id')


@unittest.skipIf(why_not(), why_not())
class TestNotification(WithShell):
    def test_notification(self):
        title, markup = '<i>Tom</i> & Co', '<i>help</i> & &lt; <a href="x">'
        module_id = self.ask(title, markup)
        following = NEXT % json.dumps(title)
        wait_for(lambda: self.desktop.eval(following) or title in self.desktop.seen(),
                 'the notification', PATIENCE)
        bodies = wait_for(lambda: [text for text in self.desktop.seen() if markup in text],
                          'the text of the answer, with its markup as text', PATIENCE)
        self.assertNotIn('&amp;', bodies[0])
        self.desktop.picture('shell-notification.png')
        self.desktop.eval(CLICK % json.dumps(title))
        wait_for(lambda: any(f'/module/{module_id}?ticket=' in url
                             for url in self.desktop.opened()), 'the chat in a browser', PATIENCE)


@unittest.skipIf(why_not(), why_not())
class TestSearch(WithShell):
    def search(self, words):
        self.desktop.eval('Main.overview.show()')
        shown = 'Main.overview.visible && !Main.overview.animationInProgress'
        wait_for(lambda: self.desktop.eval(shown), 'the overview', PATIENCE)
        self.type(*map(ord, words))

    def type(self, *keys):
        self.desktop.eval(TYPE % json.dumps(keys))

    def test_search(self):
        module_id = self.ask('About zeppelins', 'How do zeppelins fly?')
        self.search('zeppelins')
        self.desktop.wait_seen('About zeppelins')
        self.desktop.wait_seen('Ask Confab: “zeppelins”')
        self.assertIn('Confab', self.desktop.seen(), 'the name of the provider')
        self.desktop.picture('shell-search.png')
        self.type(RETURN)
        wait_for(lambda: any(f'/module/{module_id}?ticket=' in url
                             for url in self.desktop.opened()), 'the chat in a browser', PATIENCE)

    def test_ask_from_the_search(self):
        count = len(self.desktop.opened())
        self.search('quaggas')
        self.desktop.wait_seen('Ask Confab: “quaggas”')
        self.type(RETURN)
        url = wait_for(lambda: self.desktop.opened()[count:], 'a browser', PATIENCE)[0]
        module_id = re.search(r'/module/([^/?]+)\?ticket=', url).group(1)
        path = self.client.call('/org/confab/Confab', 'org.confab.Confab1.Manager', 'GetModule',
                                module_id)
        question = self.client.call(path, MODULE, 'GetHistory', 10, '')[0]
        self.assertEqual(question['content'], 'quaggas')

    def test_launcher(self):
        """As an app among the others, found by a keyword."""
        count = len(self.desktop.opened())
        self.search('assistant')
        self.desktop.wait_seen('Ask Confab: “assistant”')
        self.type(RETURN)
        url = wait_for(lambda: self.desktop.opened()[count:], 'a browser', PATIENCE)[0]
        self.assertRegex(url, r'^http://127\.0\.0\.1:\d+/\?ticket=')


if __name__ == '__main__':
    unittest.main()
