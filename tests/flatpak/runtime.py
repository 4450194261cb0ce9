# SPDX-License-Identifier: GPL-3.0-or-later
"""A Flatpak runtime and its SDK, made of the Debian packages that are installed on this machine.

So the manifest is built and run by the real tools where no repository of runtimes can be reached.
What a desktop's runtime has besides, Confab does not use.
"""

import os
import re
import shutil
import subprocess
import sys

RUNTIME = ('bash', 'ca-certificates', 'coreutils', 'dash', 'glib-networking', 'grep', 'libc-bin',
           'libc6', 'libglib2.0-0', 'libglib2.0-bin', 'libjson-glib-1.0-0', 'libsecret-1-0',
           'libsoup-3.0-0', 'libsqlite3-0', 'sed')
SDK = ('appstream-util', 'desktop-file-utils', 'diffutils', 'findutils', 'gcc', 'gettext', 'gzip',
       'libc6-dev', 'libjson-glib-dev', 'libsecret-1-dev', 'libsoup-3.0-dev', 'libsqlite3-dev',
       'librsvg2-common', 'meson', 'ninja-build', 'patch', 'pkg-config', 'tar', 'xz-utils')

# What packages drag along that nothing in a sandbox needs.
LEFT_OUT = re.compile(r'adduser|dbus.*|debconf.*|dpkg.*|init-system-helpers|libpam.*|libsystemd-.*'
                      r'|passwd|perl-modules.*|python3-distutils.*|systemd.*|usrmerge')
NOT_COPIED = ('/usr/share/doc/', '/usr/share/info/', '/usr/share/lintian/', '/usr/share/locale/',
              '/usr/share/man/', '/usr/share/gtk-doc/')
# What the packages' scripts make when they are installed.
LINKS = {'awk': ('mawk', 'gawk'), 'cc': ('gcc',), 'sh': ('dash',)}


def run(*command, **more):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, **more).stdout


def read_status():
    """(depends, providers) of what is installed: names by name."""
    depends, providers = {}, {}
    wanted = '${binary:Package}\t${Pre-Depends}, ${Depends}\t${Provides}\n'
    for line in run('dpkg-query', '-W', '-f', wanted).splitlines():
        name, needs, provides = line.split('\t')
        name = name.partition(':')[0]
        alternatives = [[re.sub(r'[ (:].*', '', one.strip()) for one in group.split('|')]
                        for group in needs.split(',') if group.strip()]
        depends[name] = alternatives
        for provided in provides.split(','):
            if provided.strip():
                providers.setdefault(provided.split()[0], name)
    return depends, providers


def close(names):
    """The packages of these names and all that they need, as far as it is installed."""
    depends, providers = read_status()
    missing = [name for name in names if name not in depends]
    if missing:
        raise LookupError('these Debian packages are missing: ' + ' '.join(missing))
    closure, waiting = set(), list(names)
    while waiting:
        name = waiting.pop()
        name = name if name in depends else providers.get(name)
        if name is None or name in closure or LEFT_OUT.fullmatch(name):
            continue
        closure.add(name)
        for alternatives in depends[name]:
            waiting += [one for one in alternatives if one in depends or one in providers][:1]
    return sorted(closure)


def copy_packages(names, tree):
    """Their files, below /usr and /etc, with all of /lib and /bin below /usr as well."""
    for path in sorted(set(run('dpkg-query', '-L', *names).splitlines())):
        path = re.sub(r'^/(bin|sbin|lib|lib64)(?=/|$)', r'/usr/\1', path)
        source = '/usr' + path[4:] if path.startswith('/usr/') else path
        if not path.startswith(('/usr/', '/etc/')) or path.startswith(NOT_COPIED):
            continue
        target = tree + path
        if os.path.islink(source) or os.path.isfile(source):
            os.makedirs(os.path.dirname(target), exist_ok=True)
            if not os.path.lexists(target):
                shutil.copy2(source, target, follow_symlinks=False)
        elif os.path.isdir(source):
            os.makedirs(target, exist_ok=True)


def finish(tree):
    """Does what the packages' scripts do."""
    for name, choices in LINKS.items():
        link = os.path.join(tree, 'usr/bin', name)
        found = [choice for choice in choices
                 if os.path.exists(os.path.join(tree, 'usr/bin', choice))]
        if found and not os.path.exists(link):
            if os.path.lexists(link):
                os.unlink(link)
            os.symlink(found[0], link)
    shutil.move(os.path.join(tree, 'etc'), os.path.join(tree, 'usr/etc'))
    certificates = os.path.join(tree, 'usr/etc/ssl/certs/ca-certificates.crt')
    os.makedirs(os.path.dirname(certificates), exist_ok=True)
    shutil.copy('/etc/ssl/certs/ca-certificates.crt', certificates)
    for name in ('passwd', 'group', 'machine-id'):
        with open(os.path.join(tree, 'usr/etc', name), 'w', encoding='utf-8'):
            pass
    schemas = os.path.join(tree, 'usr/share/glib-2.0/schemas')
    if os.path.isdir(schemas):
        run('glib-compile-schemas', schemas)
    if os.path.isdir(os.path.join(tree, 'usr/share/mime/packages')):
        run('update-mime-database', os.path.join(tree, 'usr/share/mime'), stderr=subprocess.DEVNULL)
    libraries = 'usr/lib/' + run('gcc', '-print-multiarch').strip()
    for cache in ('gio/modules/giomodule.cache', 'gdk-pixbuf-2.0/2.10.0/loaders.cache'):
        folder = os.path.join(tree, libraries, os.path.dirname(cache))
        if os.path.isdir(folder):
            shutil.copy(os.path.join('/', libraries, cache), folder)


def make(name, prefix, branch, packages, folder, repo):
    """Makes the runtime PREFIX.NAME of these packages, in the repository."""
    tree = os.path.join(folder, name)
    copy_packages(close(packages), tree)
    finish(tree)
    os.mkdir(os.path.join(tree, 'files'))
    arch = run('flatpak', '--default-arch').strip()
    with open(os.path.join(tree, 'metadata'), 'w', encoding='utf-8') as file:
        file.write(f'[Runtime]\nname={prefix}.{name}\n'
                   f'runtime={prefix}.Platform/{arch}/{branch}\n'
                   f'sdk={prefix}.Sdk/{arch}/{branch}\n')
    run('flatpak', 'build-export', '--runtime', '--no-update-summary', repo, tree, branch)
    shutil.rmtree(tree)


def install(prefix, branch, folder, env):
    """Installs PREFIX.Platform and PREFIX.Sdk of that branch for the user whom env describes."""
    repo = os.path.join(folder, 'repo')
    # so that installing makes links and no copies
    run('ostree', 'init', '--mode=bare-user-only', f'--repo={repo}')
    run('ostree', f'--repo={repo}', 'config', 'set', 'core.fsync', 'false')
    make('Platform', prefix, branch, RUNTIME, folder, repo)
    make('Sdk', prefix, branch, RUNTIME + SDK, folder, repo)
    run('flatpak', 'build-update-repo', repo)
    run('flatpak', '--user', 'remote-add', '--no-gpg-verify', 'local', f'file://{repo}', env=env)
    run('flatpak', '--user', 'install', '-y', '--noninteractive', 'local',
        f'{prefix}.Platform//{branch}', f'{prefix}.Sdk//{branch}', env=env)


if __name__ == '__main__':
    install(*sys.argv[1:3], os.getcwd(), os.environ)
