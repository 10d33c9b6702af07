/** What the writing does to a card or a disk, in years. */

export interface Preset {
  name: string;
  label: string;
  /** Terabytes (10^12 bytes) that may be written in the life of the medium. */
  tbw: number;
}

/** Typical values, since makers of cards seldom give any: a few hundred to a few thousand times the capacity. */
export const PRESETS: readonly [Preset, ...Preset[]] = [
  { name: 'sd', label: 'SD card, 32 GB, consumer', tbw: 10 },
  { name: 'endurance', label: 'SD card, 32 GB, high endurance', tbw: 40 },
  { name: 'industrial', label: 'SD card, 32 GB, industrial', tbw: 90 },
  { name: 'emmc', label: 'eMMC, 32 GB', tbw: 60 },
  { name: 'ssd', label: 'SATA SSD, 250 GB', tbw: 150 },
  { name: 'nvme', label: 'NVMe SSD, 1 TB', tbw: 600 },
];

const TERA = 1e12;

/** Years until as much is written as the rating allows, at the present pace; the part of its life that is used up is gone. */
export function yearsLeft(tbw: number, bytesPerYear: number, usedPercent: number | null | undefined): number {
  if (bytesPerYear <= 0) return Number.POSITIVE_INFINITY;
  return (tbw * TERA * (1 - Math.min(100, usedPercent ?? 0) / 100)) / bytesPerYear;
}

/** More than a century is not known any better. */
export function yearsText(years: number): string {
  if (!Number.isFinite(years) || years > 100) return 'more than 100 years';
  if (years >= 10) return `${years.toFixed(0)} years`;
  if (years >= 1) return `${years.toFixed(1)} years`;
  const months = years * 12;
  if (months >= 1) return `${months.toFixed(months < 3 ? 1 : 0)} months`;
  return `${Math.max(0, years * 365.25).toFixed(0)} days`;
}

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];

/** Bytes in steps of 1000, as the makers of media count. */
export function decimalBytes(n: number): string {
  let value = n;
  let unit = 0;
  while (Math.abs(value) >= 1000 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${value.toFixed(unit === 0 || value >= 100 ? 0 : value >= 10 ? 1 : 2)}\u2009${UNITS[unit]}`;
}

const KEY = 'mca.wear';

/** The rating that this reader has picked. */
export interface Rating {
  preset: string;
  tbw: number;
}

export function readRating(storage: Pick<Storage, 'getItem'>): Rating {
  const fallback = { preset: PRESETS[0].name, tbw: PRESETS[0].tbw };
  try {
    const saved: unknown = JSON.parse(storage.getItem(KEY) ?? 'null');
    if (typeof saved !== 'object' || saved === null) return fallback;
    const { preset, tbw } = saved as Record<string, unknown>;
    return typeof tbw === 'number' && tbw > 0 && typeof preset === 'string' ? { preset, tbw } : fallback;
  } catch {
    return fallback;
  }
}

export function keepRating(storage: Pick<Storage, 'setItem'>, rating: Rating): void {
  try {
    storage.setItem(KEY, JSON.stringify(rating));
  } catch {
    // Without storage the choice lasts as long as the page.
  }
}
