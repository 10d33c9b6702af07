// Writes a .br and a .gz beside each text asset of the build, so that the server never compresses a static file.
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

/** Fonts are compressed already; everything else of ours is text. */
const TEXT = new Set(['.html', '.js', '.css', '.svg', '.json', '.txt', '.webmanifest']);

/** Below this a compressed file saves less than its headers cost. */
const MIN_BYTES = 256;

const root = process.argv[2] ?? 'dist';
let plain = 0;
let brotli = 0;

function walk(dir) {
  for (const name of readdirSync(dir)) {
    const path = join(dir, name);
    if (statSync(path).isDirectory()) walk(path);
    else if (TEXT.has(extname(name))) compress(path);
  }
}

function compress(path) {
  const bytes = readFileSync(path);
  if (bytes.length < MIN_BYTES) return;
  const params = {
    [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
    [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
  };
  const br = brotliCompressSync(bytes, { params });
  writeFileSync(`${path}.br`, br);
  writeFileSync(`${path}.gz`, gzipSync(bytes, { level: 9 }));
  plain += bytes.length;
  brotli += br.length;
}

walk(root);
console.log(
  `compressed ${(plain / 1024).toFixed(0)} KiB of text to ${(brotli / 1024).toFixed(1)} KiB (brotli)`,
);
