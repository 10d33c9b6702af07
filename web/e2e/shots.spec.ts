/** Takes every page at two sizes in both themes. `SHOTS=folder npx playwright test` */
import { addresses, open, test } from './analyzer';

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
