// SPDX-License-Identifier: GPL-3.0-or-later
// node:zlib as Node 20.15 has it, for older ones; node-compat.mjs puts it in its place.
export * from 'node:zlib';

const TABLE = Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index;
  for (let bit = 0; bit < 8; bit += 1)
    value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value;
});

export function crc32(data, start = 0) {
  let crc = ~start;
  for (const byte of Buffer.from(data))
    crc = TABLE[(crc ^ byte) & 0xff] ^ (crc >>> 8);
  return ~crc >>> 0;
}
