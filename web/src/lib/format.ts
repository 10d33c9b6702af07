/** Numbers, times and sizes as the pages show them: always with their unit, always the same way. */

const THIN = '\u2009';
const MISSING = '–';

/** 30588 → "30 588", with a thin space, which no locale reads as a decimal mark. */
export function count(n: number | null | undefined): string {
  if (n === null || n === undefined || !Number.isFinite(n)) return MISSING;
  const text = Math.round(n).toString();
  return text.replaceAll(/\B(?=(\d{3})+(?!\d))/g, THIN);
}

/** Three significant digits at most; small numbers keep a decimal. */
export function short(n: number | null | undefined, digits = 1): string {
  if (n === null || n === undefined || !Number.isFinite(n)) return MISSING;
  const size = Math.abs(n);
  if (size >= 1e6) return `${(n / 1e6).toFixed(size >= 1e7 ? 0 : 1)}${THIN}M`;
  if (size >= 1e4) return `${(n / 1e3).toFixed(size >= 1e5 ? 0 : 1)}${THIN}k`;
  if (size >= 100 || Number.isInteger(n)) return count(n);
  return n.toFixed(digits);
}

const UNITS = ['B', 'KB', 'MB', 'GB', 'TB'];

/** Bytes in steps of 1024. */
export function bytes(n: number | null | undefined): string {
  if (n === null || n === undefined || !Number.isFinite(n)) return MISSING;
  let value = n;
  let unit = 0;
  while (Math.abs(value) >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const text = unit === 0 || Math.abs(value) >= 100 ? value.toFixed(0) : value.toFixed(1);
  return `${text}${THIN}${UNITS[unit]}`;
}

export function perSecond(n: number | null | undefined): string {
  return n === null || n === undefined ? MISSING : `${short(n, n !== 0 && Math.abs(n) < 1 ? 2 : 1)}/s`;
}

export function millis(n: number | null | undefined): string {
  if (n === null || n === undefined || !Number.isFinite(n)) return MISSING;
  if (n >= 1000) return `${(n / 1000).toFixed(2)}${THIN}s`;
  if (n >= 10) return `${n.toFixed(0)}${THIN}ms`;
  return `${n.toFixed(n < 1 ? 2 : 1)}${THIN}ms`;
}

const pad = (n: number, width = 2): string => n.toString().padStart(width, '0');

/** Milliseconds since 1970 of an API time, or null when there is none. */
export function instant(text: string | null | undefined): number | null {
  if (!text) return null;
  // Old rows are written with a blank and without a zone; they are UTC like all the others.
  const iso = /^\d{4}-\d\d-\d\d \d\d/.test(text) ? `${text.replace(' ', 'T')}Z` : text;
  const ms = Date.parse(iso);
  return Number.isNaN(ms) ? null : ms;
}

/** Local clock time, "12:04:31". */
export function clock(ms: number | null): string {
  if (ms === null) return MISSING;
  const d = new Date(ms);
  return `${pad(d.getHours())}:${pad(d.getMinutes())}:${pad(d.getSeconds())}`;
}

/** Local date, "2026-05-17". */
export function day(ms: number | null): string {
  if (ms === null) return MISSING;
  const d = new Date(ms);
  return `${d.getFullYear()}-${pad(d.getMonth() + 1)}-${pad(d.getDate())}`;
}

/** Clock time today, month and day with it otherwise. */
export function stamp(ms: number | null, now: number): string {
  if (ms === null) return MISSING;
  return day(ms) === day(now) ? clock(ms) : `${day(ms).slice(5)} ${clock(ms).slice(0, 5)}`;
}

/** The whole moment with its zone, for titles and details. */
export function moment(ms: number | null): string {
  if (ms === null) return MISSING;
  const minutes = -new Date(ms).getTimezoneOffset();
  const sign = minutes < 0 ? '−' : '+';
  const zone =
    minutes === 0
      ? 'UTC'
      : `UTC${sign}${pad(Math.floor(Math.abs(minutes) / 60))}:${pad(Math.abs(minutes) % 60)}`;
  return `${day(ms)} ${clock(ms)} ${zone}`;
}

/** A length of time in its one or two largest units: "4 s", "12 min", "3 h 20 min", "5 d". */
export function duration(ms: number | null | undefined): string {
  if (ms === null || ms === undefined || !Number.isFinite(ms)) return MISSING;
  const s = Math.max(0, Math.round(ms / 1000));
  if (s < 60) return `${s}${THIN}s`;
  if (s < 3600) return `${Math.floor(s / 60)}${THIN}min`;
  if (s < 86_400) {
    const rest = Math.floor((s % 3600) / 60);
    return rest === 0 || s >= 36_000
      ? `${Math.floor(s / 3600)}${THIN}h`
      : `${Math.floor(s / 3600)}${THIN}h ${rest}${THIN}min`;
  }
  return `${Math.floor(s / 86_400)}${THIN}d`;
}

/** How long ago; clocks of others may be ahead of ours, which is not worth a word below a minute. */
export function ago(ms: number | null, now: number): string {
  if (ms === null) return 'never';
  if (ms > now + 60_000) return `in ${duration(ms - now)}`;
  return now - ms < 1000 ? 'now' : `${duration(now - ms)} ago`;
}

/** A difference with its sign: "+1.24 s", "−3 min". */
export function delta(ms: number): string {
  const sign = ms < 0 ? '−' : '+';
  const size = Math.abs(ms);
  if (size < 1000) return `${sign}${size.toFixed(0)}${THIN}ms`;
  if (size < 60_000) return `${sign}${(size / 1000).toFixed(size < 10_000 ? 2 : 1)}${THIN}s`;
  return `${sign}${duration(size)}`;
}

export function snr(db: number | null | undefined): string {
  return db === null || db === undefined
    ? MISSING
    : db.toFixed(db % 1 === 0 ? 1 : Math.abs((db * 10) % 1) > 0.01 ? 2 : 1).replace('-', '−');
}

export function dbm(value: number | null | undefined): string {
  return value === null || value === undefined ? MISSING : `${value.toFixed(0).replace('-', '−')}${THIN}dBm`;
}

export function degrees(lat: number, lon: number): string {
  const part = (v: number, plus: string, minus: string): string =>
    `${Math.abs(v).toFixed(5)}°${THIN}${v < 0 ? minus : plus}`;
  return `${part(lat, 'N', 'S')}, ${part(lon, 'E', 'W')}`;
}

/** "A1B2C3D4…" of a key or hash. */
export function brief(hex: string | null | undefined, keep = 8): string {
  if (!hex) return MISSING;
  return hex.length <= keep ? hex : `${hex.slice(0, keep)}…`;
}

export function percent(share: number, digits = 1): string {
  return `${(share * 100).toFixed(digits)}${THIN}%`;
}

export function plural(n: number, one: string, many = `${one}s`): string {
  return `${count(n)} ${n === 1 ? one : many}`;
}
