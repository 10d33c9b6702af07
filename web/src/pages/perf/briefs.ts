/** What is seen of a part of the page while it is folded: its one figure, and whether something in it is wrong. */
import { bytes, count, millis, plural } from '../../lib/format';
import type { SectionId } from './address';
import { type Rating, yearsLeft, yearsText } from './ledger/wear';
import type { Reading } from './reading';

export interface Brief {
  brief: string;
  warn: boolean;
}

const well = (brief: string, warn = false): Brief => ({ brief, warn });

/** One for each part of which there is something to say. */
export function briefs(r: Reading, rating: Rating): Partial<Record<SectionId, Brief>> {
  const found: Partial<Record<SectionId, Brief>> = {};
  const limits = r.alerts?.thresholds;
  if (r.io) {
    const written = r.io.writeBytesPerSec + (r.io.ingestor?.writeBytesPerSec ?? 0);
    found.io = r.io.available
      ? well(`${bytes(written)}/s written`, limits !== undefined && written > limits.write_bytes_per_sec)
      : well('not available here');
  }
  if (r.sqlite) {
    const long = limits !== undefined && r.sqlite.walSize > limits.wal_bytes;
    found.sqlite = r.sqlite.available
      ? well(`log ${bytes(r.sqlite.walSize)}`, long)
      : well('not available here');
  }
  if (r.writes) {
    const flagged = Object.values(r.writes.rates ?? {}).filter((rate) => rate.flag !== null).length;
    found.sources = flagged > 0 ? well(`${count(flagged)} flagged`, true) : well('');
    const holds = Object.values(r.writes.writer_perf ?? {}).map((perf) => perf.hold_ms_p99);
    if (holds.length > 0) found.writer = well(`held for ${millis(Math.max(...holds))} at most (p99)`);
  }
  if (r.ledger) {
    const totals = r.ledger.processes.reduce((sum, process) => sum + process.totals.counted_bytes, 0);
    found.ledger = well(bytes(totals));
    found.wear = well(
      yearsText(yearsLeft(rating.tbw, r.ledger.wear.bytes_per_year, r.ledger.wear.device?.life_used_percent)),
    );
  }
  if (r.jobs) found.jobs = jobsBrief(r);
  if (r.health) found.memory = well(`${count(r.health.memory.rss)}\u2009MB`);
  if (r.perf) found.requests = well(`${millis(r.perf.avgMs)} on average`);
  if (r.ingest) found.ingest = well(`${count(r.ingest.received)} messages`);
  if (r.alerts) found.alerts = well(plural(r.alerts.events.length, 'event'));
  return found;
}

function jobsBrief({ jobs, alerts }: Reading): Brief {
  const flagged = new Set(alerts?.active.filter((f) => f.subject.kind === 'job').map((f) => f.subject.name));
  if (flagged.size > 0) return well(`${[...flagged].join(', ')} flagged`, true);
  const busy = jobs?.jobs.filter((job) => job.state === 'running' || job.state === 'braked').length ?? 0;
  return well(busy > 0 ? `${count(busy)} at work` : 'none at work');
}
