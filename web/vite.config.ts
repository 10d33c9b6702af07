import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

/** Where `npm run dev` finds the running analyzer. */
const server = process.env.ANALYZER_URL ?? 'http://127.0.0.1:8080';

export default defineConfig({
  plugins: [svelte()],
  build: {
    target: 'es2022',
    // Fonts and icons stay files of their own: the content security policy names no data: URLs for them.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // All styles are some 7 KB compressed: one request for them beats one for each page.
    cssCodeSplit: false,
    rolldownOptions: {
      output: {
        // What the pages share is one chunk, so that a page needs one request and not ten. Not in it is what the first page does not need
        // and would weigh a tenth of it: charts, the filter language, the parts of a frame.
        codeSplitting: {
          groups: [
            {
              name: 'shared',
              test: /node_modules\/(?!uplot)|src\/lib\/(?!filter\/(?!load)|packet\/(?:fields|payload|reader)\.)/,
            },
          ],
        },
      },
    },
    reportCompressedSize: false,
  },
  server: {
    proxy: {
      // With the live socket, which is a part of the API.
      '/api': { target: server, ws: true },
    },
  },
  test: {
    include: ['src/**/*.test.ts'],
  },
});
