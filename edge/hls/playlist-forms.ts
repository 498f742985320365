// One state of a media playlist in every form that is asked for, each made once, when somebody first asks.

import { gzipSync } from 'node:zlib';
import { sha256 } from '../../network/hash.ts';
import {
  type Listing,
  listedSegments,
  type RenditionReport,
  skippableCount,
  writePlaylist,
} from './playlist.ts';

export interface Form {
  readonly views: readonly Uint8Array[];
  readonly type: string;
  readonly etag: string;
  readonly encoding?: 'gzip';
}

/** Learns which forms were made. */
export type OnBuilt = (form: 'full' | 'delta', encoding: 'identity' | 'gzip') => void;

export const PLAYLIST_TYPE = 'application/vnd.apple.mpegurl';
const ETAG_DIGITS = 16;

export class PlaylistForms {
  readonly #listing: Listing;
  readonly #reports: readonly RenditionReport[];
  readonly #onBuilt: OnBuilt;
  readonly #texts = new Map<boolean, Form>();
  readonly #zipped = new Map<Form, Form>();

  constructor(listing: Listing, reports: readonly RenditionReport[], onBuilt: OnBuilt) {
    this.#listing = listing;
    this.#reports = reports;
    this.#onBuilt = onBuilt;
  }

  /** As a delta update when one is wanted and there is something that it can leave out. */
  get(wantsDelta: boolean, wantsGzip: boolean): Form {
    const form = this.#texts.get(wantsDelta) ?? this.#write(wantsDelta);
    return wantsGzip ? (this.#zipped.get(form) ?? this.#zip(form, wantsDelta)) : form;
  }

  #write(wantsDelta: boolean): Form {
    const listed = listedSegments(this.#listing);
    const skipped = wantsDelta ? skippableCount(this.#listing, listed) : 0;
    if (wantsDelta && skipped === 0) return this.#keep(true, this.get(false, false));
    const text = Buffer.from(writePlaylist(this.#listing, listed, skipped, this.#reports));
    this.#onBuilt(wantsDelta ? 'delta' : 'full', 'identity');
    const etag = `"${sha256(text, ETAG_DIGITS)}"`;
    return this.#keep(wantsDelta, { views: [text], type: PLAYLIST_TYPE, etag });
  }

  #keep(isDelta: boolean, form: Form): Form {
    this.#texts.set(isDelta, form);
    return form;
  }

  /** 3 KB to a tenth in some 20 µs: not worth another thread. */
  #zip(form: Form, isDelta: boolean): Form {
    this.#onBuilt(isDelta ? 'delta' : 'full', 'gzip');
    const etag = `${form.etag.slice(0, -1)}-gzip"`;
    const zipped: Form = { ...form, views: [gzipSync(form.views[0]!)], etag, encoding: 'gzip' };
    this.#zipped.set(form, zipped);
    return zipped;
  }
}
