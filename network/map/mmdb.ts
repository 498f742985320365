// Databases of what is known of addresses (MaxMind DB format 2.0). The door to maxmind.

import { Reader, type Response } from 'maxmind';
import { CodedError, reasonOf } from '../errors.ts';
import { type Address, formatAddress } from './address.ts';
import type { Whence } from './whence.ts';

/** What the metadata begin with, in the last 128 KiB of the file. */
const METADATA_MARKER = Buffer.from('\xab\xcd\xefMaxMind.com', 'latin1');
const METADATA_BYTES = 128 * 1024;
/** Looked up to see that a database is whole: its tree and its data are spread all over the file. */
const PROBES = 256;

/** Of cities, countries or networks (ASN): whatever the records hold of a place and a network is read. */
export class Mmdb {
  readonly #reader: Reader<Response>;

  /** `bytes` stay in memory, and are looked up in as they are. Throws `bad_mmdb` when they are not a database, or are damaged. */
  constructor(bytes: Buffer) {
    const isWhole = bytes.subarray(-METADATA_BYTES).includes(METADATA_MARKER);
    if (!isWhole) throw new CodedError('bad_mmdb', 'it does not end as a MaxMind DB does');
    try {
      this.#reader = new Reader<Response>(bytes);
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
