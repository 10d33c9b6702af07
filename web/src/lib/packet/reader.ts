import { moment } from '../format';
import { toHex } from './bytes';

/** Which colour a field has; see `--field-*`. Neighbours differ. */
export type Tone = 'header' | 'codes' | 'path' | 'a' | 'b' | 'c' | 'd' | 'cipher';

export interface Field {
  /** Offset of its first byte in the frame. */
  start: number;
  /** Offset after its last byte. */
  end: number;
  tone: Tone;
  name: string;
  value: string;
  meaning: string;
}

/** Walks a frame and notes the fields it passes. Reading past the end gives shorter fields, then none. */
export class FieldReader {
  readonly fields: Field[] = [];
  private at = 0;

  constructor(private readonly frame: Uint8Array) {}

  get done(): boolean {
    return this.at >= this.frame.length;
  }

  get left(): number {
    return this.frame.length - this.at;
  }

  peek(ahead: number): number | undefined {
    return this.frame[this.at + ahead];
  }

  /** Takes up to `size` bytes; says so when fewer are left. Returns them. */
  take(
    size: number,
    tone: Tone,
    name: string,
    show: (bytes: Uint8Array) => string,
    meaning: string,
  ): Uint8Array {
    const end = Math.min(this.at + size, this.frame.length);
    const bytes = this.frame.subarray(this.at, end);
    if (bytes.length === 0) return bytes;
    const whole = bytes.length === size;
    this.fields.push({
      start: this.at,
      end,
      tone,
      name,
      value: whole ? show(bytes) : toHex(bytes),
      meaning: whole ? meaning : `cut short: ${bytes.length} of ${size} bytes`,
    });
    this.at = end;
    return bytes;
  }

  hex(size: number, tone: Tone, name: string, meaning: string): void {
    this.take(size, tone, name, (b) => toHex(b), meaning);
  }

  u16(tone: Tone, name: string, meaning: string): void {
    this.take(2, tone, name, (b) => `${le(b)}`, meaning);
  }

  u32(tone: Tone, name: string, meaning: string): void {
    this.take(4, tone, name, (b) => toHex(b.slice().reverse()), meaning);
  }

  /** Seconds since 1970 by the sender's clock. */
  time(tone: Tone, name: string): void {
    this.take(4, tone, name, (b) => moment(le(b) * 1000), 'by the sender’s clock');
  }

  /** A signed quarter of a decibel. */
  snr(tone: Tone, name: string, meaning: string): void {
    this.take(1, tone, name, ([b]) => `${((((b ?? 0) << 24) >> 24) / 4).toFixed(2)} dB`, meaning);
  }

  /** Degrees in millionths, signed. */
  degrees(tone: Tone, name: string): void {
    this.take(4, tone, name, (b) => `${((le(b) | 0) / 1e6).toFixed(6)}°`, 'degrees × 1 000 000');
  }

  rest(
    tone: Tone,
    name: string,
    meaning: string,
    show: (bytes: Uint8Array) => string = (b) => toHex(b),
  ): void {
    if (!this.done) this.take(this.left, tone, name, show, meaning);
  }
}

function le(bytes: Uint8Array): number {
  return bytes.reduceRight((sum, b) => sum * 256 + b, 0);
}
