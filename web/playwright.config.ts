import { existsSync } from 'node:fs';
import { defineConfig } from '@playwright/test';

/** The distribution's browser: nothing is downloaded for the tests. */
const CANDIDATES = [
  process.env.CHROMIUM,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
];

export default defineConfig({
  testDir: 'e2e',
  testMatch: process.env.SHOTS ? /shots\.spec\.ts/ : /^(?!.*shots).*\.spec\.ts$/,
  outputDir: 'test-results',
  fullyParallel: false,
  workers: 1,
  retries: 0,
  timeout: 30_000,
  expect: { timeout: 10_000 },
  reporter: [['list']],
  use: {
    // A running analyzer with packets coming in, such as `meshcore-analyzer run --demo`.
    baseURL: process.env.ANALYZER_URL ?? 'http://127.0.0.1:8080',
    viewport: { width: 1440, height: 900 },
    colorScheme: 'dark',
    trace: 'retain-on-failure',
    launchOptions: {
      executablePath: CANDIDATES.find((path) => path && existsSync(path)),
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    },
  },
});
