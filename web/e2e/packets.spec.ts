import { expect, open, rows, test } from './analyzer';

test('a filter in the address narrows the list, and survives a reload', async ({ page }) => {
  await open(page, '#/packets?type=ADVERT');
  await expect(rows(page).first()).toBeVisible();
  for (const name of await rows(page).locator('.type .name').allTextContents()) expect(name).toBe('Advert');
  await page.reload();
  await expect(page.getByRole('button', { name: 'Remove type' })).toBeVisible();
  await page.getByRole('button', { name: 'Remove type' }).click();
  await expect(page).toHaveURL(/#\/packets$/);
});

test('a filter is typed, offered and taken by keyboard', async ({ page }) => {
  await open(page, '');
  await expect(rows(page).first()).toBeVisible();
  await page.keyboard.press('/');
  await page.keyboard.type('type:adv');
  await expect(page.getByRole('option', { name: 'Advert' })).toBeVisible();
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/type=ADVERT/);
  await expect(rows(page).first()).toContainText('Advert');
});

test('the last row of the history is reached', async ({ page, request }) => {
  await open(page, '');
  await expect(rows(page).first()).toBeVisible();
  const oldest = (await (await request.get('/api/packets?order=asc&limit=1')).json()).packets[0].hash;
  await page.getByRole('grid').focus();
  await page.keyboard.press('End');
  await expect(rows(page).last().locator('a')).toHaveAttribute('title', oldest);
  // And from there back, through pages that were jumped over.
  await page.keyboard.press('PageUp');
  await expect(page.locator('[role=rowgroup] [role=row]:not(:has(a))')).toHaveCount(0);
});

test('rows are walked through, opened and closed by keyboard', async ({ page }) => {
  await open(page, '');
  await expect(rows(page).first()).toBeVisible();
  await page.keyboard.press('p');
  await page.keyboard.press('j');
  await page.keyboard.press('j');
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/#\/packets\/[0-9a-f]{16}/i);
  const first = page.url();
  await page.keyboard.press('j');
  await expect(page).not.toHaveURL(first);
  await page.keyboard.press('Escape');
  await expect(page).toHaveURL(/#\/packets$/);
  await expect(page.getByRole('region', { name: 'Packet detail' })).toHaveCount(0);
});

test('a live packet appears on top by itself', async ({ page }) => {
  await open(page, '');
  await expect(rows(page).first()).toBeVisible();
  const before = await rows(page).first().locator('a').getAttribute('title');
  await expect(rows(page).first().locator('a')).not.toHaveAttribute('title', before ?? '', {
    timeout: 20_000,
  });
});

test('what is being read does not move, new rows wait', async ({ page }) => {
  await open(page, '');
  await expect(rows(page).first()).toBeVisible();
  const grid = page.getByRole('grid');
  await grid.evaluate((element) => element.scrollTo(0, 520));
  // The list draws the rows of its new place a frame later; only then is there a row that can be read.
  const hash = await grid.evaluate(async (element) => {
    const frame = () => new Promise((drawn) => requestAnimationFrame(drawn));
    for (let frames = 0; frames < 3; frames++) await frame();
    const middle = element.getBoundingClientRect().top + element.clientHeight / 2;
    const links = [...element.querySelectorAll('[role=rowgroup] [role=row] a[title]')];
    return links.find((link) => link.getBoundingClientRect().top > middle)?.getAttribute('title');
  });
  expect(hash).toBeTruthy();
  const where = await page.locator(`a[title="${hash}"]`).boundingBox();
  const pill = page.getByRole('button', { name: /\d new/ });
  await expect(pill).toBeVisible({ timeout: 20_000 });
  expect((await page.locator(`a[title="${hash}"]`).boundingBox())?.y).toBe(where?.y);
  await pill.click();
  await expect(pill).toHaveCount(0);
  expect(await grid.evaluate((element) => element.scrollTop)).toBe(0);
});

test('a lost connection is said, and mended', async ({ page, complaints }) => {
  let open_ = true;
  await page.routeWebSocket('**/api/live', (socket) => {
    if (!open_) return void socket.close();
    const server = socket.connectToServer();
    setTimeout(() => {
      open_ = false;
      void server.close();
      void socket.close();
      setTimeout(() => {
        open_ = true;
      }, 1500);
    }, 1500);
  });
  await open(page, '');
  await expect(page.getByText(/Not live for/)).toBeVisible({ timeout: 10_000 });
  await page
    .getByRole('button', { name: /Retry|Try now/ })
    .first()
    .click();
  await expect(page.getByText('Live', { exact: true })).toBeVisible({ timeout: 20_000 });
  await expect(page.getByText(/Not live for/)).toHaveCount(0);
  complaints.length = 0;
});

test('a server that fails is said, with a way to try again', async ({ page, complaints }) => {
  await page.route('**/api/packets?*', (route) =>
    route.fulfill({ status: 500, json: { error: 'storage is not readable' } }),
  );
  await page.goto('/');
  await expect(page.getByRole('alert')).toContainText('storage is not readable');
  await page.unroute('**/api/packets?*');
  await page.getByRole('button', { name: 'Try again' }).click();
  await expect(rows(page).first()).toBeVisible();
  complaints.length = 0;
});
