import type { Packet } from '../../lib/api/types';
import { Cell } from './cell.svelte';

export { Cell };

/** Rows of one request. */
export const PAGE = 60;

/** Pages kept around what is being read; further ones are forgotten and fetched again when wanted. */
const KEEP = 40;

/** Pages of rows by number, with the cursor that gives each, and every row by its hash. */
export class PageStore {
  private readonly pages = new Map<number, Cell[]>();
  private readonly cursors = new Map<number, string>();
  private readonly byHash = new Map<string, Cell>();
  private readonly coming = new Set<number>();

  clear(): void {
    this.pages.clear();
    this.cursors.clear();
    this.byHash.clear();
    this.coming.clear();
  }

  row(index: number): Cell | undefined {
    return this.pages.get(Math.floor(index / PAGE))?.[index % PAGE];
  }

  cell(hash: string): Cell | undefined {
    return this.byHash.get(hash);
  }

  /** Packets with ids from here on are on the newest page, if they are in the list at all. */
  get floor(): number {
    const newest = this.pages.get(0) ?? [];
    return newest.length < PAGE ? 0 : (newest.at(-1)?.data.id ?? 0);
  }

  indexOf(hash: string): number {
    for (const [page, cells] of this.pages) {
      const at = cells.findIndex((cell) => cell.data.hash === hash);
      if (at >= 0) return page * PAGE + at;
    }
    return -1;
  }

  adopt(cell: Cell): Cell {
    this.byHash.set(cell.data.hash, cell);
    return cell;
  }

  forget(cell: Cell): void {
    this.byHash.delete(cell.data.hash);
  }

  put(page: number, list: { packets: readonly Packet[]; nextCursor: string | null }): void {
    const cells = list.packets.map((row) => this.adopt(this.byHash.get(row.hash) ?? new Cell(row)));
    this.pages.set(page, cells);
    if (list.nextCursor) this.cursors.set(page + 1, list.nextCursor);
  }

  cursor(page: number): string | undefined {
    return this.cursors.get(page);
  }

  /** Whether a page is to be fetched: it is neither there nor on its way. */
  claim(page: number): boolean {
    if (this.pages.has(page) || this.coming.has(page)) return false;
    this.coming.add(page);
    return true;
  }

  release(page: number): void {
    this.coming.delete(page);
  }

  /** Forgets the pages furthest from these. */
  keepNear(first: number, last: number): void {
    if (this.pages.size <= KEEP) return;
    const distance = (page: number) => (page < first ? first - page : page > last ? page - last : 0);
    const far = [...this.pages.keys()].filter((page) => page !== 0).sort((a, b) => distance(b) - distance(a));
    for (const page of far.slice(0, this.pages.size - KEEP)) {
      for (const cell of this.pages.get(page) ?? []) this.byHash.delete(cell.data.hash);
      this.pages.delete(page);
    }
  }
}
