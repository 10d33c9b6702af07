/** What every test of the pages shares: a page that may not complain, and ways to ask the analyzer itself. */
import { type APIRequestContext, test as base, expect, type Page } from '@playwright/test';

export { expect };

interface Fixtures {
  /** Complaints of the page so far; a test that provokes some empties it. */
  complaints: string[];
}

export const test = base.extend<Fixtures>({
  complaints: [
    async ({ page, baseURL }, use) => {
      const complaints: string[] = [];
      const own = new URL(baseURL ?? '').host;
      page.on('console', (message) => {
        if (message.type() === 'error') complaints.push(`console: ${message.text()}`);
      });
      page.on('pageerror', (error) => complaints.push(`error: ${error.message}`));
      page.on('request', (request) => {
        if (new URL(request.url()).host !== own) complaints.push(`foreign host: ${request.url()}`);
      });
      page.on('dialog', (dialog) => {
        complaints.push(`dialog: ${dialog.message()}`);
        void dialog.dismiss();
      });
      await page.addInitScript(() => {
        document.addEventListener('securitypolicyviolation', (event) =>
          console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`),
        );
      });
      await use(complaints);
      expect(complaints).toEqual([]);
    },
    { auto: true },
  ],
});

/** A page of the list and one item of each kind, as addresses. */
export async function addresses(request: APIRequestContext): Promise<Record<string, string>> {
  const ask = async (path: string) => (await request.get(path)).json();
  const [packets, nodes, observers, channels] = await Promise.all(
    ['/api/packets?type=4&limit=1', '/api/nodes?limit=1', '/api/observers', '/api/channels'].map(ask),
  );
  return {
    packets: '#/packets',
    packet: `#/packets/${packets.packets[0].hash}`,
    nodes: '#/nodes',
    node: `#/nodes/${nodes.nodes[0].public_key}`,
    observers: '#/observers',
    observer: `#/observers/${encodeURIComponent(observers.observers[0].id)}`,
    channels: '#/channels',
    channel: `#/channels/${encodeURIComponent(channels.channels[0].hash)}`,
    perf: '#/perf',
    missing: '#/no-such-page',
  };
}

/** Opens an address and waits until its data is there. */
export async function open(page: Page, address: string): Promise<void> {
  await page.goto(`/${address}`);
  await expect(page.locator('main')).not.toBeEmpty();
  await expect(page.getByRole('status', { name: /^Loading/ })).toHaveCount(0);
}

/** Rows of the list that hold data. */
export function rows(page: Page) {
  return page.locator('[role=rowgroup] [role=row]:has(a)');
}
