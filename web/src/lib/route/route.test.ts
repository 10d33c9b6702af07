import { describe, expect, test } from 'vitest';
import { href, parseRoute } from './route';

describe('parseRoute', () => {
  test('an empty address is the packet list', () => {
    for (const hash of ['', '#', '#/', '#/home'])
      expect(parseRoute(hash)).toMatchObject({ page: 'packets', item: '' });
  });

  test('the item is decoded, with slashes in it', () => {
    expect(parseRoute('#/channels/%23test')).toMatchObject({ page: 'channels', item: '#test' });
    expect(parseRoute('#/channels/a%2Fb')).toMatchObject({ item: 'a/b' });
    expect(parseRoute('#/channels/a/b')).toMatchObject({ item: 'a/b' });
  });

  test('the query is kept whole', () => {
    expect(parseRoute('#/packets?type=ADVERT&region=SFO,OAK&timeWindow=60').query).toEqual({
      type: 'ADVERT',
      region: 'SFO,OAK',
      timeWindow: '60',
    });
  });

  test('addresses of the incumbent still work', () => {
    const key = 'ab'.repeat(32);
    expect(parseRoute(`#/packets/${key}`)).toMatchObject({ page: 'nodes', item: key });
    expect(parseRoute('#/packets/id/42')).toMatchObject({ page: 'packets', item: '42' });
    expect(parseRoute('#/packet/9a74ac5d9a74ac5d')).toMatchObject({
      page: 'packets',
      item: '9a74ac5d9a74ac5d',
    });
  });

  test('an unknown page is no page', () => {
    expect(parseRoute('#/nowhere/x?y=1')).toMatchObject({ page: null, path: 'nowhere/x' });
    expect(parseRoute('#/constructor')).toMatchObject({ page: null });
    expect(parseRoute('#/__proto__')).toMatchObject({ page: null });
  });

  test('a mangled percent sign is taken as it stands', () => {
    expect(parseRoute('#/channels/100%')).toMatchObject({ item: '100%' });
  });
});

describe('href', () => {
  test('is read back as it was written', () => {
    const query = { channel: '#a&b=c', region: 'SFO,OAK' };
    expect(parseRoute(href('packets', 'ff00', query))).toMatchObject({
      page: 'packets',
      item: 'ff00',
      query,
    });
    for (const item of ['#test', 'a/b', '100 %', 'ü', '<b>'])
      expect(parseRoute(href('channels', item)).item).toBe(item);
  });

  test('leaves out what is empty', () => {
    expect(href('packets', '', { type: undefined, hash: '' })).toBe('#/packets');
  });

  test('keeps commas readable', () => {
    expect(href('packets', '', { region: 'SFO,OAK' })).toBe('#/packets?region=SFO,OAK');
  });
});
