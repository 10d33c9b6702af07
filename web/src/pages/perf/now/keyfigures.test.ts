import { expect, test } from 'vitest';
import { healthy, notHere, rewriting } from '../../../../e2e/fixtures/states';
import type { History } from '../../../lib/api/types';
import type { Reading } from '../reading';
import { keyFigures } from './keyfigures';

const plain = (text: string) => text.replaceAll('\u2009', ' ');
const of = (reading: Reading, history?: History) =>
  new Map(
    keyFigures(reading, history).map((f) => [f.name, { ...f, value: plain(f.value), note: plain(f.note) }]),
  );

test('the figures are those of the API', () => {
  const figures = of(healthy());
  expect(figures.get('Written to disk')).toMatchObject({ value: '44.0 KB/s', warn: false });
  expect(figures.get('Waiting to be written')).toMatchObject({ value: '23 rows', warn: false });
  expect(figures.get('Resident memory')?.value).toBe('74 MB');
});

test('what the server and ingest write is one figure, and what each writes is beside it', () => {
  const answers = healthy();
  const written = of({
    ...answers,
    io: { ...answers.io, ingestor: { ...answers.io, writeBytesPerSec: 2048 } },
  });
  expect(written.get('Written to disk')).toMatchObject({
    value: '46.0 KB/s',
    note: 'server 44.0 KB/s, ingest 2.0 KB/s',
  });
});

test('more than the threshold warns, and so does a database that cannot be written', () => {
  const answers = rewriting();
  const io = { ...answers.io, writeBytesPerSec: 11 * 1024 * 1024 };
  const writes = { ...answers.writes, sources: { write_failing: 1, rows_waiting: 900 } };
  const figures = of({ ...answers, io, writes });
  expect(figures.get('Written to disk')?.warn).toBe(true);
  expect(figures.get('Waiting to be written')).toMatchObject({
    warn: true,
    note: 'the database cannot be written',
  });
});

test('what is not known is not zero', () => {
  const figures = of(notHere());
  expect(figures.get('Written to disk')).toMatchObject({ value: 'not known', note: 'this needs Linux' });
  for (const figure of keyFigures({}, undefined)) expect(['–', 'not known']).toContain(figure.value);
});

test('a step without observations has no bytes for each', () => {
  const series = (name: string, values: (number | null)[]) => ({
    name,
    kind: 'counter' as const,
    unit: 'bytes' as const,
    values,
  });
  const history = {
    from_secs: 0,
    step_secs: 60,
    series: [series('process.write_bytes', [100, 100, null]), series('rows.obs_inserted', [4, 0, 2])],
  };
  expect(of({}, history).get('Written per observation')?.past).toEqual([25, null, null]);
});
