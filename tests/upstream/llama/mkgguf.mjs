// SPDX-License-Identifier: GPL-3.0-or-later
// Makes real weights without a download: counts which word follows which in a text, and writes that
// as a llama model of one layer in a GGUF file, for llama.cpp to run.
//
//   node mkgguf.mjs TEXT OUT.gguf [VOCABULARY]
//
// Each word has an embedding of its own (a unit vector), attention and feed-forward are zero, so
// the hidden state is the last word alone, and the output matrix holds the logarithms of how often
// each word follows it. The final RMS norm scales a unit vector by the root of the width; the
// output matrix is divided by that.
import { readFileSync, writeFileSync } from 'node:fs';

const ALIGNMENT = 32;
const HEADS = 8;
const FEED_FORWARD = 32;
const UNKNOWN = 0;
const START = 1;
const END = 2;

// ggml's names of types
const TOKEN = { NORMAL: 1, UNKNOWN: 2, CONTROL: 3, UNUSED: 5, BYTE: 6 };
const VALUE = { u32: 4, i32: 5, f32: 6, bool: 7, string: 8, array: 9 };

const SMOOTHING = 0.001;
const IMPOSSIBLE = -25;

function readWords(path) {
  return readFileSync(path, 'utf8').match(/[A-Za-z']+|[0-9]|[^A-Za-z0-9\s]/g);
}

/** Tokens: the special ones, one for each byte, then the most frequent words. */
function makeVocabulary(words, size) {
  const texts = ['<unk>', '<s>', '</s>'];
  const types = [TOKEN.UNKNOWN, TOKEN.CONTROL, TOKEN.CONTROL];
  for (let byte = 0; byte < 256; byte += 1) {
    texts.push(`<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`);
    types.push(TOKEN.BYTE);
  }
  const firstWord = texts.length;

  const counts = new Map();
  for (const word of words)
    counts.set(word, (counts.get(word) ?? 0) + 1);
  const frequent = [...counts].sort((a, b) => b[1] - a[1]).slice(0, size - firstWord);

  const ids = new Map();
  for (const [word] of frequent) {
    ids.set(word, texts.length);
    // U+2581 stands for the space before a word
    texts.push(/[A-Za-z0-9(]/.test(word) ? `\u2581${word}` : word);
    types.push(TOKEN.NORMAL);
  }
  while (texts.length < size) {
    texts.push(`<pad${texts.length}>`);
    types.push(TOKEN.UNUSED);
  }
  const scores = texts.map((_, i) => (i < firstWord ? -1000 : -(i - firstWord + 1) / 100));
  return { texts, types, scores, ids };
}

/** The output matrix: row = next token, column = last token. */
function makeOutput(words, { texts, ids }) {
  const size = texts.length;
  const pairs = Array.from({ length: size }, () => new Float32Array(size));
  const single = new Float32Array(size);
  let total = 0;
  let last = START;
  for (const word of words) {
    const id = ids.get(word);
    if (id !== undefined) {
      single[id] += 1;
      total += 1;
      if (last !== undefined)
        pairs[last][id] += 1;
    }
    last = id;
  }

  const scale = Math.sqrt(size);
  const output = new Float32Array(size * size);
  for (let from = 0; from < size; from += 1) {
    const followers = pairs[from].reduce((sum, count) => sum + count, 0);
    for (let to = 0; to < size; to += 1) {
      const alone = single[to] / total;
      const chance = followers
        ? (1 - SMOOTHING) * (pairs[from][to] / followers) + SMOOTHING * alone
        : alone;
      output[to * size + from] = (chance > 0 ? Math.log(chance) : IMPOSSIBLE) / scale;
    }
    // An answer never ends by itself, but at its limit of tokens: the addon takes a completion of a
    // few milliseconds for one that still runs, and refuses all that come after it.
    output[END * size + from] = IMPOSSIBLE / scale;
  }
  return output;
}

function identity(size) {
  const matrix = new Float32Array(size * size);
  for (let i = 0; i < size; i += 1)
    matrix[i * size + i] = 1;
  return matrix;
}

/** By name: dimensions, the fastest first, and values. */
function makeTensors(words, vocabulary) {
  const width = vocabulary.texts.length;
  const head = width / HEADS;
  const ones = () => new Float32Array(width).fill(1);
  const zeros = (rows, columns) => [[rows, columns], new Float32Array(rows * columns)];
  return {
    'token_embd.weight': [[width, width], identity(width)],
    'output_norm.weight': [[width], ones()],
    'output.weight': [[width, width], makeOutput(words, vocabulary)],
    'blk.0.attn_norm.weight': [[width], ones()],
    'blk.0.attn_q.weight': zeros(width, width),
    'blk.0.attn_k.weight': zeros(width, head),
    'blk.0.attn_v.weight': zeros(width, head),
    'blk.0.attn_output.weight': zeros(width, width),
    'blk.0.ffn_norm.weight': [[width], ones()],
    'blk.0.ffn_gate.weight': zeros(width, FEED_FORWARD),
    'blk.0.ffn_up.weight': zeros(width, FEED_FORWARD),
    'blk.0.ffn_down.weight': zeros(FEED_FORWARD, width),
  };
}

function makeMetadata({ texts, types, scores }) {
  const width = texts.length;
  return [
    ['general.architecture', 'string', 'llama'],
    ['general.name', 'string', `bigram-${width}`],
    ['llama.context_length', 'u32', 2048],
    ['llama.embedding_length', 'u32', width],
    ['llama.block_count', 'u32', 1],
    ['llama.feed_forward_length', 'u32', FEED_FORWARD],
    ['llama.attention.head_count', 'u32', HEADS],
    ['llama.attention.head_count_kv', 'u32', 1],
    ['llama.rope.dimension_count', 'u32', width / HEADS],
    ['llama.attention.layer_norm_rms_epsilon', 'f32', 1e-9],
    ['llama.vocab_size', 'u32', width],
    ['tokenizer.ggml.model', 'string', 'llama'],
    ['tokenizer.ggml.tokens', 'array', ['string', texts]],
    ['tokenizer.ggml.scores', 'array', ['f32', scores]],
    ['tokenizer.ggml.token_type', 'array', ['i32', types]],
    ['tokenizer.ggml.bos_token_id', 'u32', START],
    ['tokenizer.ggml.eos_token_id', 'u32', END],
    ['tokenizer.ggml.unknown_token_id', 'u32', UNKNOWN],
    ['tokenizer.ggml.add_bos_token', 'bool', true],
    ['tokenizer.chat_template', 'string',
      "{% for message in messages %}{{ message['content'] }}{% endfor %}"],
  ];
}

function u32(value) {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function u64(value) {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

function f32(value) {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return bytes;
}

function string(value) {
  const bytes = Buffer.from(value);
  return Buffer.concat([u64(bytes.length), bytes]);
}

function encode(type, value) {
  switch (type) {
    case 'string':
      return string(value);
    case 'f32':
      return f32(value);
    case 'bool':
      return Buffer.of(value ? 1 : 0);
    case 'array': {
      const [inner, items] = value;
      return Buffer.concat([
        u32(VALUE[inner]), u64(items.length), ...items.map((item) => encode(inner, item)),
      ]);
    }
    default:
      return u32(value);
  }
}

const padding = (length) => Buffer.alloc((ALIGNMENT - (length % ALIGNMENT)) % ALIGNMENT);

function encodeFile(metadata, tensors) {
  const pairs = metadata.map(([key, type, value]) =>
    Buffer.concat([string(key), u32(VALUE[type]), encode(type, value)]));

  let offset = 0;
  const descriptions = Object.entries(tensors).map(([name, [dimensions, values]]) => {
    const description = Buffer.concat([
      // 0: 32-bit floats
      string(name), u32(dimensions.length), ...dimensions.map(u64), u32(0), u64(offset),
    ]);
    offset += values.byteLength + padding(values.byteLength).length;
    return description;
  });

  const head = Buffer.concat([
    Buffer.from('GGUF'), u32(3), u64(descriptions.length), u64(pairs.length),
    ...pairs, ...descriptions,
  ]);
  const data = Object.values(tensors).flatMap(([, values]) =>
    [Buffer.from(values.buffer), padding(values.byteLength)]);
  return Buffer.concat([head, padding(head.length), ...data]);
}

const [textPath, outPath, size = '1024'] = process.argv.slice(2);
if (!outPath || Number(size) % HEADS) {
  console.error('Usage: mkgguf.mjs TEXT OUT.gguf [VOCABULARY, a multiple of 8]');
  process.exit(2);
}
const words = readWords(textPath);
const vocabulary = makeVocabulary(words, Number(size));
const file = encodeFile(makeMetadata(vocabulary), makeTensors(words, vocabulary));
writeFileSync(outPath, file);
console.log(`${outPath}: ${file.length} bytes, ${words.length} words, ${vocabulary.ids.size} `
  + 'known');
