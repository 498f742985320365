// The door to asynchronous context: the trace of the request that is being answered, wherever that leads until it is.

import { AsyncLocalStorage } from 'node:async_hooks';
import { randomHex } from '../hash.ts';
import { readTraceContext, type TraceContext, writeTraceparent } from './trace-context.ts';

/** Of a request, as Node gives them. */
type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** Our part in a trace: the answer to one request. */
export interface Span {
  readonly context: TraceContext;
  readonly spanId: string;
  /** What was begun for the request and outlives it is nobody's any more. */
  end(): void;
}

interface OpenSpan extends Span {
  isOver: boolean;
}

const SPAN_BYTES = 8;
const spans = new AsyncLocalStorage<OpenSpan>();

/** Undefined when the request belongs to no trace. */
export function beginSpan(headers: Headers): Span | undefined {
  const { traceparent, tracestate } = headers;
  if (typeof traceparent !== 'string') return undefined;
  const context = readTraceContext(traceparent, [tracestate ?? ''].flat().join(','));
  if (!context) return undefined;
  const span: OpenSpan = {
    context,
    spanId: randomHex(SPAN_BYTES),
    isOver: false,
    end: () => {
      span.isOver = true;
    },
  };
  return span;
}

/** What `run` does, and what it leads to, belongs to the span until that ends. */
export function within<Result>(span: Span | undefined, run: () => Result): Result {
  return span ? spans.run(span as OpenSpan, run) : run();
}

/** For log lines; nothing outside of a trace. */
export function traceFields(): { readonly traceId?: string; readonly spanId?: string } {
  const span = current();
  return span ? { traceId: span.context.traceId, spanId: span.spanId } : {};
}

/** For requests of ours; nothing outside of a trace. */
export function traceHeaders(): { readonly traceparent?: string; readonly tracestate?: string } {
  const span = current();
  if (!span) return {};
  const { tracestate } = span.context;
  return { traceparent: writeTraceparent(span.context, span.spanId), ...(tracestate && { tracestate }) };
}

/** Whoever traces the request that is being answered wants it recorded. */
export function isSampled(): boolean {
  return current()?.context.isSampled ?? false;
}

function current(): OpenSpan | undefined {
  const span = spans.getStore();
  return span && !span.isOver ? span : undefined;
}
