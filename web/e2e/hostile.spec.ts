import { expect, open, rows, test } from './analyzer';

/** Markup, an override of the reading direction, and a tower of combining marks. */
const NAME = `<img src=x onerror=alert(1)>\u202Egnp.exe Z${'\u0336\u0322\u031B\u0348'.repeat(40)}!`;

test('a hostile name is text on every page that shows it', async ({ page }) => {
  const rename = (value: unknown): unknown =>
    JSON.parse(JSON.stringify(value), (key, inner) => {
      if (typeof inner !== 'string') return inner;
      if (
        [
          'name',
          'observer_name',
          'sender',
          'text',
          'lastSender',
          'lastMessage',
          'model',
          'firmware',
        ].includes(key)
      )
        return NAME;
      if (key === 'decoded_json')
        return JSON.stringify({ ...JSON.parse(inner), name: NAME, text: NAME, channel: NAME });
      return inner;
    });
  await page.route(/\/api\/(packets|nodes|observers|channels|mqtt)/, async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, json: rename(await response.json()) });
  });
  for (const address of ['#/packets', '#/nodes', '#/observers']) {
    await open(page, address);
    const row = rows(page).first();
    await expect(row).toBeVisible();
    const box = await row.boundingBox();
    await row.click();
    await expect(page.locator('aside')).toContainText('<img src=x');
    expect(await page.locator('img').count()).toBe(0);
    // The tower stays within its row.
    expect(box?.height).toBeLessThanOrEqual(34);
    expect(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth)).toBe(true);
  }
  await open(page, '#/channels');
  await page.getByRole('list', { name: 'Channels' }).getByRole('link').first().click();
  await expect(page.getByRole('log')).toContainText('<img src=x');
  expect(await page.locator('img').count()).toBe(0);
});

test('a mangled address fails quietly', async ({ page, complaints }) => {
  for (const address of [
    '#/packets?type=<script>',
    '#/packets/%',
    '#/nodes/../../etc',
    '#/channels/%E0%A4%A',
    '#/packets?timeWindow=-1e309&hash=%00',
    '#//',
    '#/observers/%2F%2F',
  ]) {
    await page.goto(`/${address}`);
    await expect(page.getByRole('main')).not.toBeEmpty();
    await expect(page.getByText('This page has failed')).toHaveCount(0);
  }
  expect(complaints.filter((text) => !text.includes('Failed to load resource'))).toEqual([]);
  complaints.length = 0;
});
