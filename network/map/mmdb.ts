// Databases of what is known of addresses (MaxMind DB format 2.0). The door to maxmind.

import { Reader, type Response } from 'maxmind';
import { CodedError, reasonOf } from '../errors.ts';
import { type Address, formatAddress } from './address.ts';
import type { Whence } from './whence.ts';

/** What the metadata begin with, in the last 128 KiB of the file. */
const METADATA_MARKER = Buffer.from('\xab\xcd\xefMaxMind.com', 'latin1');
const METADATA_BYTES = 128 * 1024;
/** Metadata are some dozen values; pointers to maps of pointers would make billions of them. */
const METADATA_POINTERS = 100;
/** The beginning of a database for IPv4 with one node, both records of which are the first byte of its data; and its metadata. */
const ONE_RECORD = Buffer.from(`000011000011${'00'.repeat(16)}`, 'hex');
const ONE_RECORD_METADATA = Buffer.concat([
  METADATA_MARKER,
  Buffer.from('\xe3\x4anode_count\xa1\x01\x4brecord_size\xa1\x18\x4aip_version\xa1\x04', 'latin1'),
]);
/** Decoded values that are kept: some megabytes. */
const MAX_DECODED = 10_000;
/** Looked up to see that a database is whole: its tree and its data are spread all over the file. */
const PROBES = 256;

/** Of cities, countries or networks (ASN): whatever the records hold of a place and a network is read. */
export class Mmdb {
  readonly #reader: Reader<Response>;

  /** `bytes` stay in memory, and are looked up in as they are. Throws `bad_mmdb` when they are not a database, or are damaged. */
  constructor(bytes: Buffer) {
    const metadata = bytes.lastIndexOf(METADATA_MARKER);
    if (metadata < 0 || metadata < bytes.length - METADATA_BYTES)
      throw new CodedError('bad_mmdb', 'it does not end as a MaxMind DB does');
    try {
      checkMetadata(bytes.subarray(metadata + METADATA_MARKER.length));
      this.#reader = new Reader<Response>(bytes, { cache: new DecodedValues() });
      for (let probe = 0; probe < PROBES; probe++) this.#probe((probe * 0x0101_0101) >>> 0);
    } catch (error) {
      throw new CodedError('bad_mmdb', `it is damaged: ${reasonOf(error)}`, { cause: error });
    }
  }

  /** `{}` when nothing is known of the address. Throws where the file is damaged. */
  lookup(address: Address): Whence {
    if (address.length === 4 && this.#reader.metadata.ipVersion === 4) return {};
    return whenceIn(this.#reader.get(formatAddress(address)));
  }

  #probe(word: number): void {
    this.lookup([word]);
    this.lookup([(0x2000_0000 | (word >>> 4)) >>> 0, word, word, word]);
  }
}

/** They are decoded without bounds, so that they are first read as the only record of another database, with what counts its pointers. */
function checkMetadata(metadata: Uint8Array): void {
  let pointers = 0;
  const counting = {
    get(): undefined {
      if (++pointers > METADATA_POINTERS)
        throw new CodedError('bad_mmdb', `its metadata have more than ${METADATA_POINTERS} pointers`);
    },
    set(): void {},
  };
  new Reader(Buffer.concat([ONE_RECORD, metadata, ONE_RECORD_METADATA]), { cache: counting }).get('0.0.0.0');
}

/** Places in the file that were decoded: most records point to the same countries, and one made of pointers to pointers is decoded once. */
class DecodedValues {
  /** Undefined while it is being decoded. */
  readonly #decoded = new Map<number | string, unknown>();

  get(place: number | string): unknown {
    const decoded = this.#decoded.get(place);
    if (decoded === undefined && this.#decoded.has(place))
      throw new CodedError('bad_mmdb', `the value at ${place} is damaged, or part of itself`);
    this.#decoded.set(place, decoded);
    return decoded;
  }

  /** All are forgotten when there are too many: who looks up next decodes again. */
  set(place: number | string, decoded: unknown): void {
    if (this.#decoded.size >= MAX_DECODED) this.#decoded.clear();
    this.#decoded.set(place, decoded);
  }
}

interface Fields {
  readonly [name: string]: unknown;
}

/** GeoIP2 and GeoLite2 have their values in objects (`location.latitude`), DB-IP Lite flat (`latitude`). */
function whenceIn(record: unknown): Whence {
  const flat = fieldsIn(record);
  const location = fieldsIn(flat['location']);
  const country = flat['country_code'] ?? fieldsIn(flat['country'])['iso_code'];
  const latitude = flat['latitude'] ?? location['latitude'];
  const longitude = flat['longitude'] ?? location['longitude'];
  const asn = flat['autonomous_system_number'] ?? fieldsIn(flat['traits'])['autonomous_system_number'];
  return {
    ...(typeof country === 'string' && /^[A-Z]{2}$/.test(country) ? { country } : {}),
    ...(typeof latitude === 'number' && typeof longitude === 'number'
      ? { position: { latitude, longitude } }
      : {}),
    ...(typeof asn === 'number' && asn > 0 ? { asn } : {}),
  };
}

function fieldsIn(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {};
}
