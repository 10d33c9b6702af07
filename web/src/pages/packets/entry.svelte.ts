import type { Mistake } from '../../lib/api/client';
import type { FilterFields } from '../../lib/api/types';
import type { Completion, Known, Offer } from '../../lib/filter/complete';
import type { Language } from '../../lib/filter/load';
import { FIELDS } from './filter';
import type { Sources, Suggestion, suggest } from './suggest';

/** A line of what is offered: a simple choice, or a piece of an expression. */
export type Row =
  | { choice: Suggestion; offer?: undefined }
  | { offer: Offer; from: number; to: number; choice?: undefined };

/** A mistake in the text: its place in characters. */
export type Problem = Pick<Mistake, 'offset' | 'length' | 'message' | 'hint'>;

/** Fields of the language that are offered among simple choices. */
const MOST_FIELDS = 6;

/** What is in the filter's field, and what that means. */
export class Entry {
  text = $state('');
  caret = $state(0);
  open = $state(false);
  language: Language | undefined = $state.raw();
  fields: FilterFields | undefined = $state.raw();
  /** Finds simple choices; loaded when it is needed, as the language is. */
  suggest: typeof suggest | undefined = $state.raw();
  sources: Sources = $state.raw({ observers: [], channels: [], nodes: [] });

  /** The line that Enter takes, where the reader has chosen one. */
  private chosen: number | undefined = $state();

  readonly isExpression = $derived(this.language?.isExpression(this.text, FIELDS) ?? false);
  private readonly reading = $derived(this.isExpression ? this.language?.read(this.text) : undefined);
  readonly isComplete = $derived(this.reading?.expr !== undefined);
  readonly mistake: Problem | undefined = $derived(this.reading?.mistake);
  /** Whether the mistake is where the text ends, so that it may mend itself with the next letters. */
  readonly atEnd = $derived.by(() => {
    const { mistake } = this;
    return mistake !== undefined && mistake.offset + mistake.length >= [...this.text.trimEnd()].length;
  });

  private readonly known: Known = $derived.by(() => {
    const { fields, sources } = this;
    return {
      fields: fields?.fields ?? [],
      operators: fields?.operators ?? [],
      values: (field) => valuesOf(field, sources),
    };
  });
  private readonly completion: Completion | undefined = $derived(
    this.language?.complete(this.text, this.caret, this.known),
  );

  readonly rows: readonly Row[] = $derived(this.open ? this.offered() : []);
  readonly active: number = $derived.by(() => {
    if (this.rows.length === 0) return -1;
    return this.chosen ?? (this.isSure() ? 0 : -1);
  });

  /** What is being typed where the name of a node may stand. */
  readonly wanted = $derived.by(() => {
    const typed = this.isExpression ? (this.completion?.typed ?? '') : this.text.replace(/^node[:=]+/i, '');
    return typed.trim();
  });

  typed(): void {
    this.open = true;
    this.chosen = undefined;
  }

  close(): void {
    this.open = false;
    this.chosen = undefined;
  }

  /** From a row to the next; the text itself is one of the stops, so that Enter can be for it again. */
  move(by: 1 | -1): void {
    this.open = true;
    const stops = this.rows.length + (this.isExpression ? 1 : 0);
    if (stops === 0) return;
    const at = this.active < 0 ? (by > 0 ? -1 : this.rows.length) : this.active;
    const next = (at + by + stops) % stops;
    this.chosen = next === this.rows.length ? -1 : next;
  }

  choose(row: number): void {
    this.chosen = row;
  }

  /** The row that Tab takes. */
  get first(): Row | undefined {
    if (this.active >= 0) return this.rows[this.active];
    return this.isExpression && this.completion?.typed ? this.rows[0] : undefined;
  }

  /** Puts a piece of an expression into the text; says whether that may be the end of it. */
  put(row: Extract<Row, { offer: Offer }>): 'done' | 'more' {
    const { text } = row.offer;
    // A space that is there already is not written again.
    const after = this.text.slice(row.to);
    const piece = after.startsWith(' ') ? text.trimEnd() : text;
    this.replace(row.from, row.to, piece);
    return row.offer.is === 'value' && after.trim() === '' && this.isComplete ? 'done' : 'more';
  }

  replace(from: number, to: number, piece: string): void {
    this.text = this.text.slice(0, from) + piece + this.text.slice(to);
    this.caret = from + piece.length;
    if (piece !== '' && this.text.charAt(this.caret) === ' ' && !piece.endsWith(' ')) this.caret += 1;
    this.typed();
  }

  private offered(): Row[] {
    const { completion } = this;
    const pieces = (offers: readonly Offer[]): Row[] =>
      completion ? offers.map((offer) => ({ offer, from: completion.from, to: completion.to })) : [];
    if (this.isExpression) return pieces(completion?.offers ?? []);
    const choices = (this.suggest?.(this.text, this.sources) ?? []).map((choice): Row => ({ choice }));
    const word = this.text.trim().toLowerCase();
    if (word === '' || word.includes(':')) return choices;
    // Simple choices have a line of their own already.
    const fields = (completion?.offers ?? []).filter((one) => !FIELDS.some((name) => name === one.label));
    const begins = fields.filter((one) => one.text.startsWith(word));
    const others = fields.filter((one) => !begins.includes(one));
    return [...pieces(begins.slice(0, MOST_FIELDS)), ...choices, ...pieces(others.slice(0, MOST_FIELDS))];
  }

  private isSure(): boolean {
    if (!this.isExpression) return true;
    const { completion } = this;
    const first = completion?.offers[0];
    if (!completion?.sure || !first) return false;
    const isThere = (first.label ?? first.text).toLowerCase() === completion.typed.toLowerCase();
    return !(isThere && this.isComplete);
  }
}

function valuesOf(field: string, { observers, channels, nodes }: Sources): { value: string; label?: string }[] {
  switch (field) {
    case 'observer':
      return observers.flatMap((one) => (one.name ? [{ value: one.name, label: one.iata ?? undefined }] : []));
    case 'observer_id':
      return observers.map((one) => ({ value: one.id, label: one.name ?? undefined }));
    case 'observer_iata':
      return [...new Set(observers.flatMap((one) => one.iata ?? []))].sort().map((value) => ({ value }));
    case 'channel':
      return channels.map((one) => ({ value: one.encrypted ? one.hash : one.name }));
    case 'payload.channel':
      return channels.filter((one) => !one.encrypted).map((one) => ({ value: one.name }));
    case 'node':
    case 'payload.name':
    case 'routed_through':
      return nodes.flatMap((one) => (one.name ? [{ value: one.name, label: one.public_key.slice(0, 8) }] : []));
    case 'payload.pubKey':
      return nodes.map((one) => ({ value: one.public_key, label: one.name ?? undefined }));
    default:
      return [];
  }
}
