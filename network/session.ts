// A viewer's session, as tokens carry it: who it is, and the uplink of the site that usher placed it on. Pure.

export interface Session {
  /** 12 characters of base64url when usher made it; empty in a token that is for anybody. */
  readonly id: string;
  /** Empty when it is not known. */
  readonly uplink: string;
}

/** What an uplink may be called, so that its name fits behind the id in a token. */
export const UPLINK_NAME = /^[A-Za-z0-9_]{1,16}$/;

const ID_BYTES = 9;
const ID_LENGTH = 12;

/** A new session. `randomName` gives 4 characters of base64url for every 3 bytes, as `hash.ts` does. */
export function newSession(randomName: (bytes: number) => string, uplink: string): string {
  return writeSession({ id: randomName(ID_BYTES), uplink });
}

/** For a session that goes on over another uplink. */
export function writeSession({ id, uplink }: Session): string {
  return id.length === ID_LENGTH ? id + uplink : id;
}

/** Reads any session of a valid token: one that another made, in another form, is its own id. */
export function readSession(session: string): Session {
  const uplink = session.slice(ID_LENGTH);
  return UPLINK_NAME.test(uplink) ? { id: session.slice(0, ID_LENGTH), uplink } : { id: session, uplink: '' };
}
