import type { APIRequestContext, Page } from '@playwright/test';
import { expect, open, rows, test } from './analyzer';

const field = (page: Page) => page.getByRole('combobox', { name: 'Filter packets' });
const address = (filter: string) => `#/packets?filter=${encodeURIComponent(filter)}`;

/** What the page says of its expression in the address. */
const applied = (page: Page) =>
  new URLSearchParams(new URL(page.url()).hash.split('?')[1] ?? '').get('filter');

async function served(request: APIRequestContext, filter: string): Promise<string[]> {
  const page = await request.get(`/api/packets?limit=20&filter=${encodeURIComponent(filter)}`);
  return (await page.json()).packets.map((row: { hash: string }) => row.hash);
}

async function shown(page: Page, most = 20): Promise<string[]> {
  const links = rows(page).locator('.hash a');
  const hashes = await links.evaluateAll((found) => found.map((link) => link.getAttribute('title') ?? ''));
  return hashes.slice(0, most);
}

test('an expression is typed with the keyboard alone: offered, completed, applied', async ({ page, request }) => {
  await open(page, '');
  await expect(rows(page).first()).toBeVisible();
  await page.keyboard.press('/');
  await page.keyboard.type('payload.na');
  await expect(page.getByRole('option', { name: /^payload\.name/ })).toHaveAttribute('aria-selected', 'true');
  await page.keyboard.press('Tab');
  await expect(field(page)).toHaveValue('payload.name ');
  await page.keyboard.type('con');
  await page.keyboard.press('Enter');
  await expect(field(page)).toHaveValue('payload.name contains ');
  await page.keyboard.type('"r" && type == ');
  await expect(page.getByRole('option', { name: 'ADVERT' })).toHaveAttribute('aria-selected', 'false');
  await page.keyboard.press('ArrowDown');
  await expect(field(page)).toHaveAttribute('aria-activedescendant', /-0$/);
  await page.keyboard.press('Escape');
  await expect(page.getByRole('listbox')).toHaveCount(0);
  await page.keyboard.type('ADV');
  expect(applied(page)).toBeNull();
  // The value that is taken is the end of the expression, and so it is applied.
  await page.keyboard.press('Enter');
  const expression = 'payload.name contains "r" && type == ADVERT';
  await expect.poll(() => applied(page)).toBe(expression);
  await expect(field(page)).toHaveValue(expression);
  await expect.poll(() => shown(page)).toEqual(await served(request, expression));
  for (const type of await rows(page).locator('.type .name').allTextContents()) expect(type).toBe('Advert');
});

test('a mistake is told at its place with a hint, mended with a click, and the list stays', async ({ page }) => {
  await open(page, '');
  await expect(rows(page).first()).toBeVisible();
  const before = await rows(page).count();
  await field(page).focus();
  await page.keyboard.type('snr > 5 && observr == x');
  const alert = page.getByRole('alert');
  await expect(alert).toContainText('there is no field observr');
  await page.keyboard.press('Enter');
  await expect(alert).toBeVisible();
  await expect(page.locator('.under mark')).toHaveText('observr');
  // The line below is under the word: both begin as far from the field's left edge as ten letters reach.
  const word = await page.locator('.under mark').boundingBox();
  const input = await field(page).boundingBox();
  expect(Math.abs((word?.x ?? 0) - (input?.x ?? 0) - (11 * (word?.width ?? 0)) / 7)).toBeLessThan(1);
  await expect(field(page)).toHaveAttribute('aria-invalid', 'true');
  expect(applied(page)).toBeNull();
  expect(await rows(page).count()).toBeGreaterThanOrEqual(before);
  await alert.getByRole('button', { name: 'did you mean observer?' }).click();
  await expect(field(page)).toHaveValue('snr > 5 && observer == x');
  await expect(alert).toHaveCount(0);
});

test('nothing is wrong with a word that is not finished', async ({ page }) => {
  await open(page, '');
  await field(page).focus();
  await page.keyboard.type('snr > 5 && obs');
  await page.waitForTimeout(2000);
  await expect(page.getByRole('alert')).toHaveCount(0);
  await page.keyboard.press('Escape');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('alert')).toContainText('there is no field obs');
});

test('what only the server refuses leaves the list as it was and says why', async ({ page, complaints }) => {
  await open(page, address('type == ADVERT'));
  await expect(rows(page).first()).toBeVisible();
  const before = await shown(page);
  await field(page).fill('payload.name ~ "("');
  await field(page).press('Enter');
  await expect(page.getByRole('status').filter({ hasText: 'This filter is not applied' })).toContainText('unclosed group');
  await expect(page.locator('.under mark')).toHaveText('"("');
  expect((await shown(page)).slice(-5)).toEqual(before.slice(-5));
  await page.goBack();
  await expect(field(page)).toHaveValue('type == ADVERT');
  await expect(page.getByText('This filter is not applied')).toHaveCount(0);
  // A link with a mistake has no list to leave.
  await page.goto('about:blank');
  await open(page, address('snr > 5 && observr == x'));
  await expect(page.getByRole('main').getByRole('alert')).toContainText('there is no field observr');
  await page.getByRole('button', { name: 'Clear the expression' }).click();
  await expect(rows(page).first()).toBeVisible();
  complaints.length = 0;
});

test('the address holds the expression: reload, back and forward, beside the other parameters', async ({ page }) => {
  await open(page, '#/packets?type=ADVERT&timeWindow=10080');
  await expect(rows(page).first()).toBeVisible();
  for (const expression of ['hops >= 1', 'hops >= 1 && observer_iata in (SFO, OAK)']) {
    await field(page).fill(expression);
    await field(page).press('Enter');
    await expect.poll(() => applied(page)).toBe(expression);
  }
  expect(page.url()).toContain('type=ADVERT');
  expect(page.url()).toContain('timeWindow=10080');
  await page.reload();
  await expect(field(page)).toHaveValue('hops >= 1 && observer_iata in (SFO, OAK)');
  await expect(page.getByRole('button', { name: 'Remove type' })).toBeVisible();
  await page.goBack();
  await expect(field(page)).toHaveValue('hops >= 1');
  await page.goBack();
  await expect(field(page)).toHaveValue('');
  await page.goForward();
  await expect(field(page)).toHaveValue('hops >= 1');
  await field(page).fill('');
  await field(page).press('Tab');
  await expect.poll(() => applied(page)).toBeNull();
});

test('live rows and loaded rows agree', async ({ page, context, request }) => {
  test.setTimeout(120_000);
  const expressions = [
    'type == GRP_TXT || type == ADVERT',
    'snr > 0',
    'any(snr > 5) && hops > 1',
    'observers in 2..5',
    'all(rssi < -70) && !transport',
    'path ~ "^[0-9]" && observations >= 2',
    'route == FLOOD && observer_iata != SFO',
    // Only the server knows these.
    'routed_through ~ "."',
  ];
  const pages = await Promise.all(
    expressions.map(async (expression, i) => {
      const tab = i === 0 ? page : await context.newPage();
      await open(tab, address(expression));
      await expect(rows(tab).first()).toBeVisible();
      return { tab, expression, opened: await shown(tab, 100) };
    }),
  );
  await page.waitForTimeout(25_000);
  let came = 0;
  for (const { tab, expression, opened } of pages) {
    // Both change as packets come in: they have to be the same at some moment. A row that was there from the beginning may
    // have ceased to match with a later copy; it stays until the list is loaded again.
    const difference = async () => {
      const loaded = await served(request, expression);
      const live = (await shown(tab, 100)).filter((hash) => loaded.includes(hash) || !opened.includes(hash)).slice(0, 20);
      return { expression, missing: loaded.filter((hash) => !live.includes(hash)), order: loaded.join() === live.join() };
    };
    await expect.poll(difference, { timeout: 12_000 }).toEqual({ expression, missing: [], order: true });
    if ((await shown(tab))[0] !== opened[0]) came += 1;
  }
  console.log(`${came} of ${expressions.length} lists have got live rows`);
  expect(came).toBeGreaterThan(4);
});

test('an expression that finds nothing is named, and can be cleared', async ({ page }) => {
  await open(page, address('snr > 99'));
  await expect(page.getByText('No packet matches')).toBeVisible();
  await expect(page.locator('main')).toContainText('snr > 99');
  await page.getByRole('button', { name: 'Clear the filter' }).click();
  await expect(rows(page).first()).toBeVisible();
  await expect(field(page)).toHaveValue('');
});

test('the sheet explains the language, and its examples are applied with a click', async ({ page }) => {
  await open(page, '');
  await page.getByRole('button', { name: 'Help on filter expressions' }).click();
  const sheet = page.getByRole('dialog', { name: 'Filter expressions' });
  await sheet.getByLabel('Find a field').fill('strength');
  await expect(sheet.getByRole('region', { name: 'Fields' }).getByRole('listitem')).toHaveCount(1);
  await sheet.getByRole('button', { name: 'rssi between -120 -90' }).click();
  await expect(sheet).toHaveCount(0);
  await expect(field(page)).toHaveValue('rssi between -120 -90');
  await expect(field(page)).toBeFocused();
  expect(applied(page)).toBeNull();
  await page.getByRole('button', { name: 'Help on filter expressions' }).click();
  await sheet.getByRole('button', { name: /^hops >= 3/ }).click();
  await expect.poll(() => applied(page)).toBe('hops >= 3 && route == FLOOD');
});

test('a value of a packet is added to the filter', async ({ page }) => {
  await open(page, address('type == ADVERT || type == GRP_TXT'));
  await rows(page).first().click();
  await page.getByRole('button', { name: /^Filter by type == / }).click();
  await expect.poll(() => applied(page)).toMatch(/^\(type == ADVERT \|\| type == GRP_TXT\) && type == \w+$/);
  await expect(page.getByRole('region', { name: 'Packet detail' })).toBeVisible();
});

test('words are looked for as before, beside an expression as well as without', async ({ page }) => {
  await open(page, address('snr > 0'));
  await field(page).fill('type:adv');
  await expect(page.getByRole('option', { name: 'Advert' })).toBeVisible();
  await field(page).press('Enter');
  await expect(page).toHaveURL(/type=ADVERT/);
  expect(applied(page)).toBeNull();
  await field(page).pressSequentially('snr > 0');
  await field(page).press('Enter');
  await expect.poll(() => applied(page)).toBe('snr > 0');
  await expect(page).toHaveURL(/type=ADVERT/);
});

test('all of it has room on a phone', async ({ page }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  const noOverflow = async () =>
    expect(await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)).toBeLessThanOrEqual(0);
  await open(page, '#/packets?type=ADVERT&region=SFO');
  await field(page).pressSequentially('any(snr > 5) && payload.name contains ');
  await noOverflow();
  expect((await field(page).boundingBox())?.width).toBeGreaterThan(150);
  await field(page).pressSequentially('"a" && observr');
  await field(page).press('Escape');
  await field(page).press('Enter');
  const alert = await page.getByRole('alert').boundingBox();
  expect(alert && alert.x >= 0 && alert.x + alert.width <= 390).toBe(true);
  await noOverflow();
  await page.getByRole('button', { name: 'did you mean observer?' }).click();
  await page.getByRole('button', { name: 'Apply' }).click();
  await expect.poll(() => applied(page)).toBe('any(snr > 5) && payload.name contains "a" && observer');
  await noOverflow();
  await page.getByRole('button', { name: 'Help on filter expressions' }).click();
  await expect(page.getByRole('dialog', { name: 'Filter expressions' })).toBeVisible();
  await noOverflow();
});
