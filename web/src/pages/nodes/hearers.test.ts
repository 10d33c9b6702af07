import { expect, test } from 'vitest';
import { distanceKm, place, roundKm } from '../../lib/geo';
import { hearers } from './hearers';

const seen = (
  observer_id: string,
  hops: string[],
  snr: number | null,
  timestamp = '2026-05-17T12:00:00Z',
) => ({
  id: 1,
  transmission_id: 1,
  hash: '',
  observer_id,
  observer_name: observer_id,
  observer_iata: 'SFO',
  snr,
  rssi: null,
  score: null,
  route_type: 1,
  direction: 'rx',
  path_json: JSON.stringify(hops),
  timestamp,
});

test('who hears a node best comes first', () => {
  const rows = hearers([
    { observations: [seen('far', ['A', 'B'], 9), seen('near', [], -2)] },
    { observations: [seen('far', ['A'], 3)] },
  ]);
  expect(rows).toMatchObject([
    { id: 'near', count: 1, fewestHops: 0, bestSnr: -2 },
    { id: 'far', count: 2, fewestHops: 1, bestSnr: 9 },
  ]);
});

test('an advert heard twice by one observer counts once', () => {
  expect(hearers([{ observations: [seen('a', [], null), seen('a', ['B'], null)] }])).toMatchObject([
    { count: 1, bestSnr: null },
  ]);
});

test('a location of 0,0 or out of range is none', () => {
  expect(place(0, 0)).toBeUndefined();
  expect(place(91, 10)).toBeUndefined();
  expect(place(null, 10)).toBeUndefined();
  expect(place(37, -122)).toEqual({ lat: 37, lon: -122 });
});

test('distances are right to a percent, across the date line too', () => {
  expect(distanceKm({ lat: 37.77, lon: -122.42 }, { lat: 37.34, lon: -121.89 })).toBeCloseTo(66.9, 0);
  expect(distanceKm({ lat: 0, lon: 179.9 }, { lat: 0, lon: -179.9 })).toBeCloseTo(22.3, 1);
});

test('scales are round', () => {
  expect([0.7, 3, 49, 50, 1234].map(roundKm)).toEqual([0.5, 2, 20, 50, 1000]);
});
