// JSON Merge Patch (RFC 7396) between two messages, made by usher and applied in the browser. Pure.

/** What JSON has; null is nothing but the word for what is gone. */
export type Json = string | number | boolean | readonly Json[] | { readonly [key: string]: Json };
export type JsonPatch = { readonly [key: string]: Json | null | JsonPatch };

/** What is to be applied to `before` to get `after`; undefined: nothing. */
export function patchBetween(before: object, after: object): JsonPatch | undefined {
  const patch: Record<string, Json | null | JsonPatch> = Object.create(null);
  let isEmpty = true;
  const [old, fresh] = [before as Record<string, Json>, after as Record<string, Json>];
  for (const key of Object.keys(old))
    if (!Object.hasOwn(fresh, key)) {
      patch[key] = null;
      isEmpty = false;
    }
  for (const [key, value] of Object.entries(fresh)) {
    const change = Object.hasOwn(old, key) ? changeOf(old[key]!, value) : value;
    if (change === undefined) continue;
    patch[key] = change;
    isEmpty = false;
  }
  return isEmpty ? undefined : patch;
}

/** The message after a patch. What did not change in it is the same object as before, so that `===` tells what to draw anew. */
export function applyPatch<Message extends object>(before: Message, patch: object): Message {
  // Without a prototype a key can't be anything else than a key: a server may be called `__proto__`.
  const after: Record<string, unknown> = Object.assign(Object.create(null), before);
  for (const [key, change] of Object.entries(patch)) {
    const old = after[key];
    if (change === null) delete after[key];
    else if (isTable(change)) after[key] = applyPatch(isTable(old) ? old : {}, change);
    else after[key] = change;
  }
  return after as Message;
}

function changeOf(old: Json, fresh: Json): Json | JsonPatch | undefined {
  if (isTable(old) && isTable(fresh)) return patchBetween(old, fresh);
  return isSame(old, fresh) ? undefined : fresh;
}

function isSame(one: Json, other: Json): boolean {
  if (!Array.isArray(one) || !Array.isArray(other)) return one === other;
  return one.length === other.length && one.every((value, at) => isSame(value, other[at]!));
}

function isTable(value: unknown): value is { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
