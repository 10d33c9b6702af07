/** Takes every page at two sizes in both themes. `SHOTS=folder npx playwright test` */
import { addresses, open, test } from './analyzer';
import { fake } from './fixtures/perf';
import { healthy, notHere, rewriting } from './fixtures/states';

const SIZES = [
  { name: '1440', width: 1440, height: 900 },
  { name: '390', width: 390, height: 844 },
];

for (const theme of ['dark', 'light'] as const) {
  for (const size of SIZES) {
    test(`${theme} ${size.name}`, async ({ page, request, complaints }) => {
      test.setTimeout(120_000);
      await page.emulateMedia({ colorScheme: theme });
      await page.setViewportSize(size);
      for (const [name, address] of Object.entries(await addresses(request))) {
        await open(page, address);
        await page.waitForTimeout(900);
        await page.screenshot({ path: `${process.env.SHOTS}/${name}-${size.name}-${theme}.png` });
      }
      complaints.length = 0;
    });
  }
}

for (const theme of ['dark', 'light'] as const) {
  for (const size of SIZES) {
    test(`performance, ${theme} ${size.name}`, async ({ page, complaints }) => {
      test.setTimeout(120_000);
      await page.emulateMedia({ colorScheme: theme });
      for (const [name, answers] of Object.entries({
        healthy: healthy(),
        rewriting: rewriting(),
        nothere: notHere(),
      })) {
        await page.setViewportSize(size);
        await fake(page, answers);
        await page.goto('/#/perf');
        await page.waitForTimeout(900);
        await page.screenshot({ path: `${process.env.SHOTS}/perf-${name}-${size.name}-${theme}.png` });
        // The page scrolls in itself, so that only a window as high as all of it shows all of it.
        const height = await page.evaluate(() => (document.querySelector('.page')?.scrollHeight ?? 0) + 140);
        await page.setViewportSize({ width: size.width, height });
        await page.waitForTimeout(500);
        await page.screenshot({ path: `${process.env.SHOTS}/perf-${name}-${size.name}-${theme}-all.png` });
        await page.goto('/');
      }
      complaints.length = 0;
    });
  }
}
