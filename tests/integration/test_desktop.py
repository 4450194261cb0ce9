#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the desktop sees of confabd: launcher, search, notifications, inhibition, and its files."""

import html
import os
import re
import signal
import stat
import subprocess
import sys
import unittest
import xml.etree.ElementTree as ElementTree

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), 'lib'))
# pylint: disable=wrong-import-position
from bus import (DATA, NAME, ROOT, Bus, Confabd, Gio, GLib, Upstream,  # noqa
                 make_home, wait_for)

BUILT_DATA = os.path.join(os.environ['CONFAB_BUILD_ROOT'], 'data')
SEARCH = 'org.gnome.Shell.SearchProvider2'
APPLICATION = 'org.freedesktop.Application'
NOTIFICATIONS = 'org.freedesktop.Notifications'
PORTAL = 'org.freedesktop.portal.Desktop'

MARKUP = '<i>help</i> & &lt; <a href="x">'

SERVICES = '''<node>
<interface name="org.freedesktop.Notifications">
<method name="Notify"><arg type="s"/><arg type="u"/><arg type="s"/><arg type="s"/><arg type="s"/>
<arg type="as"/><arg type="a{sv}"/><arg type="i"/><arg type="u" direction="out"/></method>
</interface>
<interface name="org.freedesktop.portal.Inhibit">
<method name="Inhibit"><arg type="s"/><arg type="u"/><arg type="a{sv}"/>
<arg type="o" direction="out"/></method>
</interface>
<interface name="org.freedesktop.portal.Request"><method name="Close"/></interface>
<interface name="org.freedesktop.portal.Notification">
<method name="AddNotification"><arg type="s"/><arg type="a{sv}"/></method>
</interface>
<interface name="org.freedesktop.portal.OpenURI">
<method name="OpenURI"><arg type="s"/><arg type="s"/><arg type="a{sv}"/>
<arg type="o" direction="out"/></method>
</interface>
</node>'''


class Desktop:
    """A notification server, a portal, and a browser that only writes down what it shall open."""

    def __init__(self, bus, home):
        self.connection = bus.connect()
        self.notes = []
        self.portal_notes = []
        self.inhibited = []
        self.closed = 0
        node = Gio.DBusNodeInfo.new_for_xml(SERVICES)
        for path, interface in (('/org/freedesktop/Notifications', 0),
                                ('/org/freedesktop/portal/desktop', 1), ('/request', 2),
                                ('/org/freedesktop/portal/desktop', 3),
                                ('/org/freedesktop/portal/desktop', 4)):
            self.connection.register_object(path, node.interfaces[interface], self.called, None,
                                            None)
        self.names = [Gio.bus_own_name_on_connection(self.connection, name, 0, None, None)
                      for name in (NOTIFICATIONS, PORTAL)]
        self.by_portal = []
        self.opened_path = os.path.join(home, 'opened')
        self.install_browser(home)

    def install_browser(self, home):
        browser = os.path.join(home, 'browser')
        with open(browser, 'w', encoding='utf-8') as file:
            file.write(f'#!/bin/sh\necho "$1" >> {self.opened_path}\n')
        os.chmod(browser, stat.S_IRWXU)
        applications = os.path.join(home, 'data/applications')
        os.makedirs(applications)
        with open(os.path.join(applications, 'browser.desktop'), 'w', encoding='utf-8') as file:
            file.write(f'[Desktop Entry]\nType=Application\nName=Browser\nExec={browser} %u\n'
                       'MimeType=x-scheme-handler/http;\n')
        os.makedirs(os.path.join(home, 'config'))
        with open(os.path.join(home, 'config/mimeapps.list'), 'w', encoding='utf-8') as file:
            file.write('[Default Applications]\nx-scheme-handler/http=browser.desktop\n')

    def called(self, _connection, _sender, _path, _interface, method, parameters, invocation):
        if method == 'Notify':
            self.notes.append(parameters.unpack())
            invocation.return_value(GLib.Variant('(u)', (len(self.notes),)))
        elif method == 'AddNotification':
            self.portal_notes.append(parameters.unpack())
            invocation.return_value(None)
        elif method == 'OpenURI':
            self.by_portal.append(parameters.unpack())
            with open(self.opened_path, 'a', encoding='utf-8') as file:
                file.write(parameters.unpack()[1] + '\n')
            invocation.return_value(GLib.Variant('(o)', ('/request',)))
        elif method == 'Inhibit':
            self.inhibited.append(parameters.unpack())
            invocation.return_value(GLib.Variant('(o)', ('/request',)))
        else:
            self.closed += 1
            invocation.return_value(None)

    def click(self, number):
        self.connection.emit_signal(None, '/org/freedesktop/Notifications', NOTIFICATIONS,
                                    'ActionInvoked', GLib.Variant('(us)', (number, 'default')))

    def opened(self):
        try:
            with open(self.opened_path, encoding='utf-8') as file:
                return file.read().split()
        except FileNotFoundError:
            return []


class WithDesktop(unittest.TestCase):
    def start(self, *args, config='', env=None):
        self.bus = Bus()
        self.addCleanup(self.bus.close)
        self.upstream = Upstream()
        self.addCleanup(self.upstream.close)
        home = make_home()
        self.config = os.path.join(home, 'confab.conf')
        with open(self.config, 'w', encoding='utf-8') as file:
            file.write('[confab]\n' + config)
        self.desktop = Desktop(self.bus, home)
        self.confabd = Confabd(self.bus, '--session', *self.upstream.args, '--config',
                               self.config, *args, home=home, env=env)
        self.addCleanup(self.confabd.stop)
        self.client = self.bus.connect()

    def call(self, interface, method, signature=None, *values, path=ROOT):
        arguments = GLib.Variant(signature, values) if signature else None
        done = []
        self.client.call(NAME, path, interface, method, arguments, None, 0, -1, None,
                         lambda source, result: done.append(source.call_finish(result)))
        return wait_for(lambda: done, method)[0].unpack()

    def new_module(self, title=''):
        session, = self.call('org.confab.Confab1.Manager', 'CreateSession', '(sa{sv})', 'S', {})
        module, = self.call('org.confab.Confab1.Session', 'CreateModule', '(sa{sv})', title, {},
                            path=session)
        return module

    def module_id(self, path):
        return self.call('org.freedesktop.DBus.Properties', 'Get', '(ss)',
                         'org.confab.Confab1.Module', 'Id', path=path)[0]

    def ask(self, module, model='raw:plain', message='Hello'):
        self.call('org.freedesktop.DBus.Properties', 'Set', '(ssv)', 'org.confab.Confab1.Module',
                  'Model', GLib.Variant('s', model), path=module)
        return self.call('org.confab.Confab1.Module', 'Generate', '(sa{sv})', message, {},
                         path=module)


class TestNotifications(WithDesktop):
    def test_ready_and_clicked(self):
        self.start()
        module = self.new_module('Secret title')
        self.ask(module)
        note = wait_for(lambda: self.desktop.notes, 'a notification')[0]
        self.assertEqual(note[:5], ('Confab', 0, NAME, 'The answer is ready', ''))
        self.assertEqual(note[5], ['default', 'Show'])
        self.assertEqual(note[6]['desktop-entry'], NAME)
        self.desktop.click(99)
        self.desktop.click(1)
        url, = wait_for(self.desktop.opened, 'a browser')
        self.assertRegex(url, r'^http://127\.0\.0\.1:\d+/session/[^/?]+/module/'
                         + re.escape(self.module_id(module)) + r'\?ticket=[\w-]+$')
        self.assertNotIn(url.partition('ticket=')[2], self.confabd.log())

    def test_failed(self):
        self.start()
        self.ask(self.new_module(), 'raw:http-401')
        note = wait_for(lambda: self.desktop.notes, 'a notification')[0]
        self.assertEqual(note[3:5], ('The answer failed', ''))

    def test_text_where_it_is_allowed(self):
        self.start(config='notification-text=true\n')
        self.ask(self.new_module('<b>Title</b> & more'))
        note = wait_for(lambda: self.desktop.notes, 'a notification')[0]
        self.assertEqual(note[3], '<b>Title</b> & more')
        self.assertEqual(note[4], 'The quick brown fox jumps over the lazy dog.')

    def test_markup_is_shown_as_it_is(self):
        """Body: escaped, for it is markup; summary: as it is, for that is none."""
        self.start(config='notification-text=true\n')
        self.ask(self.new_module('<i>Tom</i> & Co'), 'raw:echo', MARKUP)
        note = wait_for(lambda: self.desktop.notes, 'a notification')[0]
        self.assertEqual(note[3], '<i>Tom</i> & Co')
        self.assertIn('&lt;i&gt;help&lt;/i&gt; &amp; &amp;lt; &lt;a href=', note[4])
        self.assertIn(MARKUP, html.unescape(note[4]))

    def test_muted(self):
        self.start(config='notifications=false\n')
        module = self.new_module()
        self.ask(module)
        wait_for(lambda: self.call('org.confab.Confab1.Module', 'GetHistory', '(us)', 10, '',
                                   path=module)[0][-1]['state'] == 'completed', 'the end')
        self.assertEqual(self.desktop.notes, [])

    def test_muted_while_it_runs(self):
        self.start()
        loud, muted = self.new_module(), self.new_module()
        self.ask(loud)
        wait_for(lambda: len(self.desktop.notes) == 1, 'a notification')
        with open(self.config, 'w', encoding='utf-8') as file:
            file.write('[confab]\nnotifications=false\n')
        self.confabd.process.send_signal(signal.SIGHUP)
        wait_for(lambda: 'Settings were read again' in self.confabd.log(), 'the settings')
        self.ask(muted)
        wait_for(lambda: self.call('org.confab.Confab1.Module', 'GetHistory', '(us)', 10, '',
                                   path=muted)[0][-1]['state'] == 'completed', 'the end')
        self.assertEqual(len(self.desktop.notes), 1)

    def test_no_text_of_failures_either(self):
        self.start(config='notification-text=false\n')
        self.ask(self.new_module('Secret title'), 'raw:http-401')
        note = wait_for(lambda: self.desktop.notes, 'a notification')[0]
        self.assertNotIn('Secret', str(note))
        self.assertEqual(note[4], '')

    def test_by_the_portal_in_a_sandbox(self):
        self.start(config='notification-text=true\n', env={'GTK_USE_PORTAL': '1'})
        module = self.new_module('<i>Tom</i> & Co')
        self.ask(module, 'raw:echo', MARKUP)
        name, note = wait_for(lambda: self.desktop.portal_notes, 'a notification')[0]
        module_id = self.module_id(module)
        self.assertEqual(name, module_id)
        self.assertEqual(note['title'], '<i>Tom</i> & Co')
        # portals take no markup
        self.assertIn(MARKUP, note['body'])
        self.assertEqual(note['default-action'], 'app.show-chat')
        self.assertEqual(self.desktop.notes, [])
        # the desktop calls this when it is clicked
        self.call(APPLICATION, 'ActivateAction', '(sava{sv})', 'show-chat',
                  [GLib.Variant('s', note['default-action-target'])], {})
        url, = wait_for(self.desktop.opened, 'a browser')
        self.assertIn(f'/module/{module_id}?ticket=', url)

    def test_the_portal_is_told_no_text_either(self):
        self.start(env={'GTK_USE_PORTAL': '1'})
        self.ask(self.new_module('Secret title'))
        note = wait_for(lambda: self.desktop.portal_notes, 'a notification')[0][1]
        self.assertEqual(note['title'], 'The answer is ready')
        self.assertEqual(set(note), {'title', 'default-action', 'default-action-target'})

    def test_strange_actions_open_the_first_page(self):
        self.start()
        for count, (name, parameter) in enumerate((
                ('old-chat', []), ('show-chat', []), ('show-chat', [GLib.Variant('i', 1)]),
                ('show-chat', [GLib.Variant('s', '../../nowhere')])), 1):
            self.call(APPLICATION, 'ActivateAction', '(sava{sv})', name, parameter, {})
            wait_for(lambda n=count: len(self.desktop.opened()) == n, 'a browser')
        for url in self.desktop.opened():
            self.assertRegex(url, r'^http://127\.0\.0\.1:\d+/\?ticket=[\w-]+$')

    def test_somebody_watches(self):
        self.start()
        watched, other = self.new_module(), self.new_module()
        self.call('org.confab.Confab1.Module', 'Watch', path=watched)
        self.ask(watched)
        wait_for(lambda: self.call('org.confab.Confab1.Module', 'GetHistory', '(us)', 10, '',
                                   path=watched)[0][-1]['state'] == 'completed', 'the end')
        # notifications come in order: the first is that of the second question
        self.ask(other)
        wait_for(lambda: self.desktop.notes, 'a notification')
        self.desktop.click(1)
        url, = wait_for(self.desktop.opened, 'a browser')
        self.assertIn(self.module_id(other), url)
        self.assertEqual(len(self.desktop.notes), 1)


class TestInhibit(WithDesktop):
    def test_while_answering(self):
        self.start()
        module = self.new_module()
        self.ask(module, 'raw:stall')
        window, flags, options = wait_for(lambda: self.desktop.inhibited, 'an inhibition')[0]
        self.assertEqual((window, flags), ('', 4))
        self.assertEqual(options, {'reason': 'An answer is being written'})
        self.assertEqual(self.desktop.closed, 0)
        self.call('org.confab.Confab1.Module', 'Stop', path=module)
        wait_for(lambda: self.desktop.closed == 1, 'the end of the inhibition')

    def test_setting(self):
        self.start(config='inhibit-suspend=false\n')
        self.ask(self.new_module())
        wait_for(lambda: self.desktop.notes, 'the end')
        self.assertEqual(self.desktop.inhibited, [])


class TestLauncher(WithDesktop):
    def test_activate(self):
        self.start()
        self.call(APPLICATION, 'Activate', '(a{sv})', {})
        url, = wait_for(self.desktop.opened, 'a browser')
        self.assertRegex(url, r'^http://127\.0\.0\.1:\d+/\?ticket=[\w-]+$')
        first = subprocess.run(['curl', '-s', '-o', '/dev/null', '-w', '%{http_code}', url],
                               capture_output=True, text=True, check=True).stdout
        second = subprocess.run(['curl', '-s', '-o', '/dev/null', '-w', '%{http_code}', url],
                                capture_output=True, text=True, check=True).stdout
        self.assertEqual(first, '303')
        self.assertNotEqual(second, '303', 'a ticket is good once')

    def test_new_chat(self):
        """The action of the .desktop file: each time another chat, which is not there yet."""
        self.start()
        with open(os.path.join(BUILT_DATA, f'{NAME}.desktop'), encoding='utf-8') as file:
            text = file.read()
        actions = re.search(r'(?m)^Actions=(.*);$', text).group(1).split(';')
        self.assertEqual(actions, re.findall(r'(?m)^\[Desktop Action (.*)\]$', text))
        self.assertEqual(actions, ['new-chat'])
        for _ in range(2):
            self.call(APPLICATION, 'ActivateAction', '(sava{sv})', *actions, [], {})
        wait_for(lambda: len(self.desktop.opened()) == 2, 'a browser')
        pages = {re.fullmatch(r'http://127\.0\.0\.1:\d+/session/default/module/([0-9a-f-]{36})'
                              r'\?ticket=[\w-]+', url).group(1) for url in self.desktop.opened()}
        self.assertEqual(len(pages), 2)

    def test_the_portal_opens_the_page(self):
        """For it is not confined as Confab's unit is; without one Confab does it itself."""
        self.start()
        self.call(APPLICATION, 'Activate', '(a{sv})', {})
        url, = wait_for(self.desktop.opened, 'a browser')
        self.assertEqual(self.desktop.by_portal, [('', url, {})])
        Gio.bus_unown_name(self.desktop.names[1])
        wait_for(lambda: PORTAL not in self.client.call_sync(
            'org.freedesktop.DBus', '/', 'org.freedesktop.DBus', 'ListNames', None, None, 0, -1,
            None).unpack()[0], 'the end of the portal')
        self.call(APPLICATION, 'Activate', '(a{sv})', {})
        wait_for(lambda: len(self.desktop.opened()) == 2, 'a browser')
        self.assertEqual(len(self.desktop.by_portal), 1)

    def test_search(self):
        self.start()
        module = self.new_module('About zeppelins')
        self.ask(module, message='How do zeppelins <b>fly</b>?')
        wait_for(lambda: self.desktop.notes, 'the end')
        results, = self.call(SEARCH, 'GetInitialResultSet', '(as)', ['zeppelins'])
        self.assertEqual(results, [self.module_id(module), 'ask/zeppelins'])
        metas, = self.call(SEARCH, 'GetResultMetas', '(as)', results + ['gone'])
        self.assertEqual([meta['name'] for meta in metas],
                         ['About zeppelins', 'Ask Confab: “zeppelins”'])
        self.assertIn('zeppelins', metas[0]['description'])
        self.assertTrue(all(meta['gicon'] == NAME for meta in metas))
        self.assertEqual(self.call(SEARCH, 'GetSubsearchResultSet', '(asas)', results,
                                   ['zeppelins', 'nowhere'])[0], ['ask/zeppelins nowhere'])
        self.call(SEARCH, 'ActivateResult', '(sasu)', results[0], ['zeppelins'], 0)
        url, = wait_for(self.desktop.opened, 'a browser')
        self.assertIn(f'/module/{results[0]}?ticket=', url)

    def test_a_title_is_told_once(self):
        self.start()
        module = self.new_module('About zeppelins')
        results, = self.call(SEARCH, 'GetInitialResultSet', '(as)', ['zeppelins'])
        meta = self.call(SEARCH, 'GetResultMetas', '(as)', results)[0][0]
        self.assertEqual((meta['id'], meta['name']), (self.module_id(module), 'About zeppelins'))
        self.assertNotIn('description', meta)

    def test_ask(self):
        self.start('--model', 'raw:plain')
        self.call(SEARCH, 'ActivateResult', '(sasu)', 'ask/What is new?', [], 0)
        url, = wait_for(self.desktop.opened, 'a browser')
        module_id = re.search(r'/module/([^/?]+)\?ticket=', url).group(1)
        path, = self.call('org.confab.Confab1.Manager', 'GetModule', '(s)', module_id)
        messages, = self.call('org.confab.Confab1.Module', 'GetHistory', '(us)', 10, '', path=path)
        self.assertEqual(messages[0]['content'], 'What is new?')

    def test_nothing_typed(self):
        self.start()
        for terms in ([], [''], ['x' * 5000]):
            results, = self.call(SEARCH, 'GetInitialResultSet', '(as)', terms)
            self.assertEqual(results, [f'ask/{terms[0]}'] if ''.join(terms) else [])

    def test_bus_lost_and_back(self):
        self.start()
        self.bus.stop()
        self.bus.start()
        self.client = self.bus.connect()

        def owned():
            return self.client.call_sync(
                'org.freedesktop.DBus', '/', 'org.freedesktop.DBus', 'NameHasOwner',
                GLib.Variant('(s)', (NAME,)), None, 0, -1, None).unpack()[0]
        wait_for(owned, 'the name')
        results, = self.call(SEARCH, 'GetInitialResultSet', '(as)', ['x'])
        self.assertEqual(results, ['ask/x'])


class TestFiles(unittest.TestCase):
    def run_tool(self, *command):
        run = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
        return run.stdout + run.stderr

    def test_desktop_file(self):
        self.assertEqual(self.run_tool('desktop-file-validate',
                                       os.path.join(BUILT_DATA, f'{NAME}.desktop')), '')

    def test_metainfo(self):
        self.run_tool('appstreamcli', 'validate', '--no-net',
                      os.path.join(BUILT_DATA, f'{NAME}.metainfo.xml'))

    def test_settings_are_explained(self):
        schemas = ElementTree.parse(os.path.join(DATA, f'{NAME}.gschema.xml')).getroot()
        keys = schemas.findall('schema/key')
        self.assertGreater(len(keys), 10)
        for key in keys:
            for part in ('summary', 'description'):
                self.assertTrue((key.findtext(part) or '').strip(), f'{key.get("name")}: {part}')

    def test_icons(self):
        for path, size in (('scalable/apps/%s.svg', '128'),
                           ('symbolic/apps/%s-symbolic.svg', '16')):
            root = ElementTree.parse(os.path.join(DATA, 'icons/hicolor', path % NAME)).getroot()
            self.assertEqual((root.get('width'), root.get('height')), (size, size))
