/** The performance page, against a server that says what each test wants. */
import { expect, test } from './analyzer';
import { fake, openPerf, part, pass, REFRESH_MS } from './fixtures/perf';
import { healthy, notHere, rewriting } from './fixtures/states';

test('every part of the page is there, with the figures of the API', async ({ page }) => {
  await fake(page, healthy());
  await openPerf(page);
  for (const name of [
    'History',
    'Disk I/O',
    'Write sources',
    'SQLite',
    'Ledger',
    'Amplification',
    'Wear',
    'Jobs',
    'Writer',
    'Memory',
    'Ingest accounting',
    'Endpoints',
    'Slow requests',
    'Alert history',
    'Webhooks',
  ]) {
    await expect(page.getByRole('heading', { name, exact: true })).toBeVisible();
  }
  await expect(page.locator('.verdict')).toContainText('All is well');
  await expect(page.getByRole('list', { name: 'Key figures' })).toContainText('44.0 KB/s');
  await expect(part(page, 'sources')).toContainText('1 024 118');
  await expect(part(page, 'sqlite')).toContainText('310 pages of 812 not yet in the database');
  await expect(part(page, 'sqlite')).toContainText('8 192 KiB');
  await expect(part(page, 'ledger')).toContainText('0.60 %');
  await expect(part(page, 'jobs').getByRole('row', { name: /retention/ })).toContainText('31 %');
  await expect(page.getByRole('table', { name: 'Per source' }).locator('tbody tr').first()).toContainText(
    '=',
  );
});

test('a server and an ingest process are told apart', async ({ page }) => {
  const answers = healthy();
  const [own] = answers.ledger.processes;
  if (own === undefined) throw new Error('the fixture has no process');
  const serve = {
    ...own,
    process: 'serve',
    totals: { ...own.totals, counted_bytes: 4096 },
    causes: [],
    effects: [],
    tables: [],
  };
  await fake(page, {
    ...answers,
    ledger: { ...answers.ledger, processes: [serve, { ...own, process: 'ingest' }] },
    io: { ...answers.io, writeBytesPerSec: 512, ingestor: { ...answers.io, writeBytesPerSec: 45_056 } },
  });
  await openPerf(page);
  await expect(part(page, 'io').getByRole('row', { name: /^Server/ })).toContainText('512 B/s');
  await expect(part(page, 'io').getByRole('row', { name: /^Ingest/ })).toContainText('44.0 KB/s');
  await expect(page.getByRole('list', { name: 'Key figures' })).toContainText(
    'server 512 B/s, ingest 44.0 KB/s',
  );
  // The one that writes most comes first.
  const pick = part(page, 'ledger').getByRole('group', { name: 'Process' });
  await expect(pick.getByRole('button', { name: 'ingest' })).toHaveAttribute('aria-pressed', 'true');
  await expect(part(page, 'ledger')).toContainText('packets');
  await pick.getByRole('button', { name: 'serve' }).click();
  await expect(part(page, 'ledger')).toContainText('4.0 KB');
});

test('a server whose clock is hours off is shown in its own time', async ({ page }) => {
  const answers = rewriting();
  const off = -5 * 3_600_000;
  await fake(page, {
    ...answers,
    ledger: { ...answers.ledger, to_ms: answers.ledger.to_ms + off },
    alerts: {
      ...answers.alerts,
      active: answers.alerts.active.map((flag) => ({ ...flag, since_ms: flag.since_ms + off })),
    },
  });
  const asked = page.waitForRequest(/history\?series=process.write_bytes/);
  await openPerf(page);
  await expect(page.getByRole('article')).toContainText('for 31 min');
  const to = Number(new URL((await asked).url()).searchParams.get('to'));
  expect(Math.abs(to * 1000 - (Date.now() + off))).toBeLessThan(60_000);
});

test('the sums of the ledger by cause and by effect are the same', async ({ page }) => {
  await fake(page, healthy());
  await openPerf(page);
  const sum = (name: string) => page.getByRole('table', { name }).locator('tr.sum').innerText();
  const [causes, effects] = [await sum('Ledger by cause'), await sum('Ledger by effect')];
  expect(causes.trim()).toBe(effects.trim());
});

test('a culprit is named with the reason and a remedy, and goes when it has gone', async ({ page }) => {
  await page.clock.install();
  const server = await fake(page, healthy());
  await openPerf(page);
  await expect(page.getByRole('article')).toHaveCount(0);

  server.answers = rewriting();
  await pass(page, REFRESH_MS);
  // Two rules catch the same job: one card, with the worse of them on top.
  const card = page.getByRole('article');
  await expect(card).toHaveCount(1);
  await expect(card).toContainText('68 % against a limit of 10 %');
  await expect(card).toContainText('for 31 min');
  await expect(card).toContainText('writes without changing');
  await expect(card).toContainText('100 % of them were as before');
  await expect(card).toContainText('What to do: Pause the job');
  await expect(page.getByRole('alert')).toContainText('Critical');
  await expect(part(page, 'sources').getByRole('row', { name: /backfill_rewrite/ })).toContainText(
    'changes none',
  );

  server.answers = healthy();
  await pass(page, REFRESH_MS);
  await expect(page.getByRole('article')).toHaveCount(0);
  await expect(page.locator('.verdict')).toContainText('All is well');
});

test('a job is paused with the API key, which is asked for once', async ({ page, complaints }) => {
  const server = await fake(page, rewriting());
  await openPerf(page);
  const card = page.getByRole('article').first();
  await card.getByRole('button', { name: 'Pause rewrite' }).click();
  const dialog = page.getByRole('dialog', { name: 'API key' });
  await dialog.getByLabel('API key').fill('wrong');
  await page.keyboard.press('Enter');
  await expect(dialog).toContainText('The server has refused this key.');
  await dialog.getByLabel('API key').fill('the-right-key-of-this-server');
  await page.keyboard.press('Enter');
  await expect(dialog).toHaveCount(0);
  await expect(page.getByText('rewrite is paused.')).toBeVisible();
  await card.getByRole('button', { name: 'Resume rewrite' }).click();
  await expect(page.getByText('rewrite goes on.')).toBeVisible();
  expect(server.orders).toEqual(['rewrite pause', 'rewrite resume']);
  expect(await page.evaluate(() => JSON.stringify(localStorage))).not.toContain('right-key');
  // The browser itself notes every answer 401.
  complaints.length = 0;
});

test('a server without an API key says so at once', async ({ page, complaints }) => {
  await fake(page, { ...rewriting(), key: null });
  await openPerf(page);
  await page.getByRole('article').first().getByRole('button', { name: 'Pause rewrite' }).click();
  await expect(page.getByText('this server has no API key')).toBeVisible();
  await expect(page.getByRole('dialog')).toHaveCount(0);
  complaints.length = 0;
});

test('what a system does not tell is not shown as zero', async ({ page }) => {
  await fake(page, notHere());
  await openPerf(page);
  await expect(part(page, 'io')).toContainText('Not available here: this needs Linux');
  await expect(part(page, 'io')).toContainText('Ingest was last heard 12 s ago');
  await expect(part(page, 'waterfall')).toContainText('not known here');
  await expect(part(page, 'sources')).toContainText('Of the past: read 12 s ago');
  await expect(page.locator('.verdict')).toContainText('Not known');
  await expect(part(page, 'io')).not.toContainText('0 B/s');
});

test('a part that fails keeps its last figures, and the page says so', async ({ page, complaints }) => {
  await page.clock.install();
  await fake(page, healthy());
  await openPerf(page);
  await page.route('**/api/perf/io', (route) =>
    route.fulfill({ status: 500, json: { error: 'internal error' } }),
  );
  await pass(page, REFRESH_MS);
  await expect(page.getByText('Not answered this time: disk I/O')).toBeVisible();
  await expect(part(page, 'io')).toContainText('44.0 KB/s');
  complaints.length = 0;
});

test('a figure opens its chart, and the address says so', async ({ page }) => {
  await fake(page, healthy());
  await openPerf(page, '?range=24h');
  await part(page, 'io').getByRole('link', { name: '44.0 KB/s' }).click();
  await expect(page).toHaveURL(/range=24h/);
  await expect(page).toHaveURL(/series=process\.write_bytes/);
  const chart = page.getByRole('region', { name: 'Chart' });
  await expect(chart.locator('canvas')).toBeVisible();
  await expect(chart.getByRole('table')).toContainText('process.write_bytes');
  await chart.getByRole('button', { name: '7 d' }).click();
  await expect(page).toHaveURL(/range=7d/);
  await page.reload();
  await expect(chart.locator('canvas')).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(page).not.toHaveURL(/series=/);
});

test('a chart is read with the keyboard', async ({ page }) => {
  await fake(page, healthy());
  await openPerf(page, '?series=process.write_bytes');
  const chart = page.getByRole('slider', { name: /^Chart of process.write_bytes/ });
  await expect(chart.locator('canvas')).toBeVisible();
  await chart.focus();
  const newest = await chart.getAttribute('aria-valuenow');
  await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('ArrowLeft');
  await expect(chart).toHaveAttribute('aria-valuenow', String(Number(newest) - 2));
  await page.keyboard.press('Home');
  await expect(chart).toHaveAttribute('aria-valuenow', '0');
  await expect(chart).toHaveAttribute('aria-valuetext', /\d\d:\d\d:\d\d: process.write_bytes [\d.]+\sKB\/s/);
});

test('the treemap is one stop for the keyboard, and its tiles open charts', async ({ page }) => {
  await fake(page, healthy());
  await openPerf(page);
  const map = page.getByRole('toolbar', { name: 'Bytes by cause and table' });
  await map.locator('[tabindex="0"]').focus();
  await expect(map.locator('[tabindex="0"]')).toHaveCount(1);
  await expect(map.locator(':focus')).toHaveAccessibleName(/^packets: observations \(write-ahead log\)/);
  await page.keyboard.press('ArrowRight');
  await expect(map.locator(':focus')).toHaveAccessibleName(/^packets: transmissions/);
  await page.keyboard.press('Home');
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/series=pages\.packets\.observations/);
});

test('the window of the ledger and the range of history are in the address', async ({ page }) => {
  await fake(page, healthy());
  await openPerf(page, '?window=3600');
  await expect(part(page, 'ledger').getByRole('button', { name: '1 h' })).toHaveAttribute(
    'aria-pressed',
    'true',
  );
  const [request] = await Promise.all([
    page.waitForRequest(/ledger\?window=86400/),
    part(page, 'ledger').getByRole('button', { name: '24 h' }).click(),
  ]);
  expect(request.method()).toBe('GET');
  await part(page, 'history').getByRole('button', { name: '30 d' }).click();
  await expect(page).toHaveURL(/range=30d/);
  await expect(page).toHaveURL(/window=86400/);
});

test('an event opens the seconds around it, and what moved', async ({ page }) => {
  await fake(page, rewriting());
  await openPerf(page);
  await part(page, 'alerts')
    .getByRole('link', { name: /Black box of rewrite/ })
    .click();
  const box = page.getByRole('region', { name: 'Black box' });
  await expect(box.getByRole('table', { name: 'What moved most' })).toContainText('written.rewrite.wal');
  await expect(box.locator('canvas').first()).toBeVisible();
  await expect(page).toHaveURL(/event=13/);
});

test('webhooks are tested with a button', async ({ page, complaints }) => {
  await fake(page, healthy());
  await openPerf(page);
  await page.getByRole('button', { name: 'Send a test' }).click();
  await page.getByRole('dialog').getByLabel('API key').fill('the-right-key-of-this-server');
  await page.keyboard.press('Enter');
  await expect(page.getByText('1 of 1 webhook took the test.')).toBeVisible();
  complaints.length = 0;
});

test("the rating of the card is the reader's, and stays", async ({ page }) => {
  await fake(page, healthy());
  await openPerf(page);
  const wear = part(page, 'wear');
  await wear.getByLabel('Kind of medium').selectOption({ label: 'NVMe SSD, 1 TB: 600 TBW' });
  await expect(wear.getByLabel('Terabytes that may be written')).toHaveValue('600');
  await expect(wear).toContainText('more than 100 years');
  await wear.getByLabel('Terabytes that may be written').fill('2');
  await expect(wear).toContainText(/1\.\d years/);
  await page.reload();
  await expect(wear.getByLabel('Terabytes that may be written')).toHaveValue('2');
});

test('every page says when something is wrong with the server', async ({ page, complaints }) => {
  await page.clock.install();
  const server = await fake(page, rewriting());
  await page.goto('/#/observers');
  await pass(page, 3_000);
  const link = page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: /Performance/ });
  await expect(link).toHaveAccessibleName(/critical: The job rewrite makes ingest wait/);
  server.answers = healthy();
  await pass(page, 60_000);
  await expect(link).toHaveAccessibleName('Performance');
  // Of the other pages there are no fixtures.
  complaints.length = 0;
});
