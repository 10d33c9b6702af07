/** From the air to the browser: a real MQTT client publishes, and the page shows it. */
import { randomBytes } from 'node:crypto';
import { connectAsync } from 'mqtt';
import { expect, open, test } from './analyzer';

test('a packet that a real MQTT client publishes is on the page within a second', async ({
  page,
  request,
}) => {
  const broker = process.env.ANALYZER_MQTT;
  test.skip(broker === undefined, 'ANALYZER_MQTT does not name the broker');
  await open(page, '#/packets');
  const before = (await (await request.get('/api/stats')).json()).totalTransmissions;

  // An ACK of random bytes: no other packet has its hash.
  const ack = randomBytes(4).toString('hex').toUpperCase();
  const observer = randomBytes(32).toString('hex').toUpperCase();
  const client = await connectAsync(broker ?? '');
  const payload = JSON.stringify({
    origin: 'Browser test',
    origin_id: observer,
    raw: `0E00${ack}`,
    SNR: '7',
    RSSI: '-88',
  });
  await client.publishAsync(`meshcore/AMS/${observer}/packets`, payload, { qos: 1 });
  // The same again is a duplicate and adds nothing.
  await client.publishAsync(`meshcore/AMS/${observer}/packets`, payload, { qos: 1 });
  await client.endAsync();

  await expect(page.getByText('Browser test').first()).toBeVisible({ timeout: 1_000 });
  const observers = (await (await request.get('/api/observers')).json()).observers;
  expect(observers.find((row: { id: string }) => row.id === observer)).toMatchObject({ packet_count: 1 });
  expect((await (await request.get('/api/stats')).json()).totalTransmissions).toBeGreaterThan(before);
});
