import { addresses, expect, open, rows, test } from './analyzer';

test('the packet list shows packets and how many there are', async ({ page, request }) => {
  await open(page, '');
  await expect(rows(page).first()).toBeVisible();
  const { total } = await (await request.get('/api/packets?limit=1')).json();
  const shown = await page.getByRole('grid').getAttribute('aria-rowcount');
  expect(Number(shown)).toBeGreaterThan(0);
  expect(Number(shown) - 1).toBeLessThanOrEqual(total);
});

test('a packet shows its facts, its observations, its bytes and their fields', async ({ page, request }) => {
  const { packet } = await addresses(request);
  await open(page, packet ?? '');
  const detail = page.getByRole('region', { name: 'Packet detail' });
  await expect(detail.getByText('First heard')).toBeVisible();
  await expect(detail.getByRole('heading', { name: 'Observations' })).toBeVisible();
  await expect(detail.getByRole('cell', { name: 'Public key' })).toBeVisible();
  // The field under the pointer lights up among the bytes.
  await detail.getByRole('cell', { name: 'Public key' }).hover();
  await expect(detail.locator('.dump .b.hot')).toHaveCount(32);
  // Another copy of the packet may come in just then, and what is under the pointer with it.
  await expect(async () => {
    await detail.locator('.dump .b').first().hover();
    await expect(detail.locator('tr.hot')).toContainText('Header', { timeout: 1_000 });
  }).toPass();
});

test('choosing an observation shows its frame, and the address says so', async ({ page, request }) => {
  const { packets } = await (await request.get('/api/packets?limit=500')).json();
  const heard = packets.find((p: { observation_count: number }) => p.observation_count > 1);
  test.skip(!heard, 'no packet has been heard twice yet');
  await open(page, `#/packets/${heard.hash}`);
  const buttons = page
    .getByRole('region', { name: 'Packet detail' })
    .getByRole('button', { name: /^Show the frame/ });
  await buttons.nth(1).click();
  await expect(page).toHaveURL(/obs=\d+/);
  await expect(buttons.nth(1)).toHaveAttribute('aria-pressed', 'true');
});

test('nodes are listed, and one is shown with who hears it', async ({ page, request }) => {
  await open(page, '#/nodes');
  await expect(rows(page).first()).toBeVisible();
  await open(page, (await addresses(request)).node ?? '');
  const detail = page.getByRole('region', { name: 'Node detail' });
  await expect(detail.getByText('Last advert', { exact: true })).toBeVisible();
  await expect(detail.getByRole('heading', { name: 'Heard by' })).toBeVisible();
  await expect(detail.getByRole('heading', { name: 'Recent adverts' })).toBeVisible();
});

test('observers are listed with their sources, and one is shown with its packets', async ({
  page,
  request,
}) => {
  await open(page, '#/observers');
  await expect(rows(page).first()).toBeVisible();
  await expect(page.getByRole('region', { name: 'MQTT sources' })).toBeVisible();
  await open(page, (await addresses(request)).observer ?? '');
  await expect(
    page.getByRole('region', { name: 'Observer detail' }).getByText('First message'),
  ).toBeVisible();
});

test('a channel is read from its newest message up to its first', async ({ page, request }) => {
  await open(page, (await addresses(request)).channel ?? '');
  const log = page.getByRole('log');
  await expect(log.getByRole('listitem').last()).toBeInViewport();
  for (let i = 0; i < 50 && (await log.getByText('The first message that is kept').count()) === 0; i += 1) {
    await log.evaluate((element) => element.scrollTo(0, -element.scrollHeight));
    await page.waitForTimeout(50);
  }
  await expect(log.getByText('The first message that is kept')).toBeVisible();
});

test('the performance page shows its figures and that ingest adds up', async ({ page }) => {
  await open(page, '#/perf');
  for (const name of [
    'Disk I/O',
    'SQLite',
    'Write sources',
    'Memory',
    'Ingest accounting',
    'Endpoints',
    'Slow requests',
  ]) {
    await expect(page.getByRole('heading', { name, exact: true })).toBeVisible();
  }
  await expect(page.getByRole('table', { name: 'Per source' }).locator('tbody tr').first()).toContainText(
    '=',
  );
  await expect(page.locator('main')).not.toContainText('≠');
});

test('a page that does not exist says so and leads on', async ({ page }) => {
  await open(page, '#/no-such-page');
  await expect(page.getByRole('heading', { name: 'There is no page here' })).toBeVisible();
  await page.getByRole('main').getByRole('link', { name: 'Packets' }).click();
  await expect(rows(page).first()).toBeVisible();
});

test('a packet that is not stored says so', async ({ page, complaints }) => {
  await open(page, '#/packets/0000000000000000');
  await expect(page.getByText('No packet with this hash is stored')).toBeVisible();
  // The browser itself notes every answer 404.
  complaints.length = 0;
});
