import { expect, test } from 'vitest';
import { changeStatus, told } from './words';

test('a critical flag looks worse than a warning, and one that went looks well', () => {
  expect(changeStatus({ change: 'raised', flag: { severity: 'critical' } }).level).toBe('bad');
  expect(changeStatus({ change: 'raised', flag: { severity: 'warning' } }).level).toBe('warn');
  expect(changeStatus({ change: 'cleared', flag: { severity: 'critical' } }).level).toBe('ok');
});

test('it says how many were told', () => {
  expect(told([])).toBe('–');
  expect(told([{ delivered: true }])).toBe('yes');
  expect(told([{ delivered: true }, { delivered: true }])).toBe('all 2');
  expect(told([{ delivered: true }, { delivered: false }])).toBe('1 of 2');
});
