/** How uPlot is told to draw: in the colours of the theme, in the units of the page, without anything that moves. */
import type uPlot from 'uplot';
import { clock, day } from '../../../lib/format';
import { figure, increments, type Measure } from './figures';

/** A line to hold the values against. */
export interface Rule {
  value: number;
  label: string;
  tone: 'limit' | 'usual';
}

/** A moment. */
export interface Mark {
  atSecs: number;
  label: string;
}

export interface Spec {
  colors: readonly string[];
  measure: Measure;
  rules: readonly Rule[];
  marks: readonly Mark[];
  /** Fewer ticks, for little ones. */
  compact: boolean;
  /** Charts of one key move their cursors together; empty for a chart by itself. */
  sync: string;
  oncursor: (index: number | null) => void;
}

/** A limit further away than this from all values is said in words, since drawing it would press them flat. */
const FAR = 4;

const DASH = [5, 4];
const AXIS_PX = 58;
const FONT = '11px "Inter Variable", system-ui, sans-serif';

/** The colour of a token, as the theme at hand has it. */
export function token(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** Whether a rule is drawn on a chart whose greatest value is `most`. */
export function isNear(rule: Rule, most: number): boolean {
  return rule.value <= Math.max(most, Number.EPSILON) * FAR;
}

export function greatest(data: uPlot.AlignedData): number {
  let most = 0;
  for (const values of data.slice(1)) {
    for (const value of values) if (typeof value === 'number' && value > most) most = value;
  }
  return most;
}

/** What is in `spec` may change from one drawing to the next, but for the number of lines. */
export function options(spec: () => Spec, size: { width: number; height: number }): uPlot.Options {
  const { compact, sync, colors } = spec();
  const grid = { stroke: () => token('--chart-grid'), width: 1 };
  const ticks = { show: false };
  const font = FONT;
  return {
    ...size,
    padding: [8, 18, 0, 0],
    legend: { show: false },
    cursor: {
      y: false,
      drag: { x: false, y: false, setScale: false },
      points: { size: 6 },
      ...(sync ? { sync: { key: sync } } : {}),
    },
    scales: { x: { time: true }, y: { range: (u) => [0, ceiling(u.data, spec())] } },
    axes: [
      {
        stroke: () => token('--text-3'),
        grid,
        ticks,
        font,
        size: 22,
        gap: 4,
        space: compact ? 80 : 70,
        values: moments,
      },
      {
        stroke: () => token('--text-3'),
        grid,
        ticks,
        font,
        size: AXIS_PX,
        gap: 6,
        space: compact ? 30 : 36,
        incrs: increments(spec().measure),
        values: (_u, splits) => splits.map((value) => (value === 0 ? '0' : figure(value, spec().measure))),
      },
    ],
    series: [
      {},
      ...colors.map((_, i) => ({
        stroke: () => token(spec().colors[i] ?? ''),
        // A fill says "from zero", and with several lines would hide those behind.
        fill: () => (colors.length === 1 ? `${token(spec().colors[i] ?? '')}1c` : 'transparent'),
        width: 1.4,
        points: { show: false },
      })),
    ],
    hooks: {
      draw: [(u) => drawRules(u, spec())],
      setCursor: [(u) => spec().oncursor(u.cursor.idx ?? null)],
    },
  };
}

function ceiling(data: uPlot.AlignedData, { rules }: Spec): number {
  const most = greatest(data);
  const near = rules.filter((rule) => isNear(rule, most)).map((rule) => rule.value);
  return Math.max(most, ...near) * 1.1 || 1;
}

/** Clock times in the reader's zone; the day where it changes. */
function moments(_u: uPlot, splits: number[], _axis: number, _space: number, step: number): string[] {
  return splits.map((secs, i) => {
    const ms = secs * 1000;
    const before = splits[i - 1];
    const anew = before !== undefined && day(before * 1000) !== day(ms);
    if (step >= 86_400 || anew) return day(ms).slice(5);
    return step < 60 ? clock(ms) : clock(ms).slice(0, 5);
  });
}

function drawRules(u: uPlot, { rules, marks }: Spec): void {
  const { ctx, bbox } = u;
  const most = greatest(u.data);
  ctx.save();
  ctx.lineWidth = devicePixelRatio;
  ctx.setLineDash(DASH.map((n) => n * devicePixelRatio));
  for (const rule of rules.filter((r) => isNear(r, most))) {
    const y = Math.round(u.valToPos(rule.value, 'y', true)) + 0.5;
    ctx.strokeStyle = token(rule.tone === 'limit' ? '--warn' : '--text-3');
    line(ctx, bbox.left, y, bbox.left + bbox.width, y);
  }
  for (const mark of marks) {
    const x = Math.round(u.valToPos(mark.atSecs, 'x', true)) + 0.5;
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    ctx.strokeStyle = token('--text-1');
    line(ctx, x, bbox.top, x, bbox.top + bbox.height);
  }
  ctx.restore();
}

function line(ctx: CanvasRenderingContext2D, x1: number, y1: number, x2: number, y2: number): void {
  ctx.beginPath();
  ctx.moveTo(x1, y1);
  ctx.lineTo(x2, y2);
  ctx.stroke();
}
