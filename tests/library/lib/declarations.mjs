// SPDX-License-Identifier: GPL-3.0-or-later
// What the type declarations of the JavaScript server offer to those who use it.
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const require = createRequire(join(process.env.CONFAB_SOURCE_ROOT, 'src/web/package.json'));
const ts = require('typescript');

/** Where it is declared, below tests/node_modules, and what of it. */
const SOURCES = {
  'socket.io/dist/index.d.ts': ['Server', 'ServerOptions'],
  'socket.io/dist/namespace.d.ts': ['Namespace', 'NamespaceReservedEventsMap',
    'ServerReservedEventsMap', 'ExtendedError'],
  'socket.io/dist/parent-namespace.d.ts': ['ParentNamespace'],
  'socket.io/dist/socket.d.ts': ['Socket'],
  'socket.io/dist/socket-types.d.ts': ['Handshake', 'SocketReservedEventsMap'],
  'socket.io/dist/broadcast-operator.d.ts': ['BroadcastOperator', 'RemoteSocket'],
  'socket.io/dist/typed-events.d.ts': ['StrictEventEmitter'],
  'engine.io/build/server.d.ts': ['AttachOptions', 'ServerOptions'],
  'socket.io-adapter/dist/in-memory-adapter.d.ts': ['Adapter'],
};

const isHidden = (member) => (ts.getCombinedModifierFlags(member)
  & (ts.ModifierFlags.Private | ts.ModifierFlags.Protected)) !== 0;

function* membersOf(declaration) {
  for (const member of declaration.members) {
    if (isHidden(member) || ts.isConstructSignatureDeclaration(member))
      continue;
    if (ts.isConstructorDeclaration(member)) {
      yield 'constructor';
      continue;
    }
    const name = member.name?.getText();
    // an underscore at the start marks what is public for the compiler alone
    if (name && !name.startsWith('_'))
      yield name;
    // an option that is a group of options
    if (member.type && ts.isTypeLiteralNode(member.type) && ts.isPropertySignature(member)) {
      for (const inner of member.type.members) {
        if (inner.name)
          yield `${name}.${inner.name.getText()}`;
      }
    }
  }
}

/** All of them, as `Class.member`. */
export async function publicMembers(modules) {
  const found = new Set();
  for (const [path, wanted] of Object.entries(SOURCES)) {
    const text = await readFile(join(modules, path), 'utf8');
    const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
    const left = new Set(wanted);
    source.forEachChild((node) => {
      if (!(ts.isClassDeclaration(node) || ts.isInterfaceDeclaration(node))
          || !left.delete(node.name.text))
        return;
      for (const member of membersOf(node))
        found.add(`${node.name.text}.${member}`);
    });
    if (left.size > 0)
      throw new Error(`${path} declares no ${[...left].join(', ')}`);
  }
  return found;
}

/** The reasons of a disconnection. */
export async function disconnectReasons(modules) {
  const text = await readFile(join(modules, 'socket.io/dist/socket-types.d.ts'), 'utf8');
  const [, union] = /type DisconnectReason =([^;]*);/.exec(text);
  return [...union.matchAll(/"([^"]+)"/g)].map(([, reason]) => reason);
}
