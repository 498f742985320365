// What pages ask usher for, besides what they hear of it all the time.

import type { Explained } from '../../../explained/explained.ts';
import type { Curves, EventList, ServerAnswer, SiteAnswer, StreamAnswer } from '../../messages.ts';

const TIMEOUT_MS = 10_000;

/** `whose` is `streams/<name>`, `servers/<id>` or `sites/<name>`. */
export function askHistory(whose: string): Promise<Curves> {
  return ask(`/api/console/history/${whose}`);
}

export function askEvents(): Promise<EventList> {
  return ask('/api/console/events');
}

export function askStream(name: string): Promise<StreamAnswer> {
  return ask(`/api/console/streams/${encodeURIComponent(name)}`);
}

export function askServer(id: string): Promise<ServerAnswer> {
  return ask(`/api/console/servers/${encodeURIComponent(id)}`);
}

export function askSite(name: string): Promise<SiteAnswer> {
  return ask(`/api/console/sites/${encodeURIComponent(name)}`);
}

/** Rejects with usher's own words where it can't explain. */
export function askExplanation(question: Readonly<Record<string, string>>): Promise<Explained> {
  return ask(`/api/explain?${new URLSearchParams(question)}`);
}

/** Without a deadline broadcasts are waited for as long as they last. */
export async function orderDrain(server: string, deadlineS: number | undefined): Promise<void> {
  const body = deadlineS === undefined ? '' : JSON.stringify({ deadlineS });
  await ask(drainPath(server), { method: 'POST', body });
}

export async function endDrain(server: string): Promise<void> {
  await ask(drainPath(server), { method: 'DELETE' });
}

function drainPath(server: string): string {
  return `/api/servers/${encodeURIComponent(server)}/drain`;
}

async function ask<Answer>(path: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(path, { cache: 'no-store', signal: AbortSignal.timeout(TIMEOUT_MS), ...init });
  if (response.ok) return (await response.json()) as Answer;
  const problem = (await response.json().catch(() => ({}))) as { readonly detail?: string };
  throw new Error(problem.detail ?? `usher answered ${response.status}`);
}
