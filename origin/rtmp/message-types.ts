// Numbers of RTMP's messages and user control events (RTMP 1.0 5.4, 6.2, 7.1).

export const SET_CHUNK_SIZE = 1;
export const ABORT = 2;
export const ACKNOWLEDGEMENT = 3;
export const USER_CONTROL = 4;
export const WINDOW_ACKNOWLEDGEMENT_SIZE = 5;
export const SET_PEER_BANDWIDTH = 6;
export const AUDIO = 8;
export const VIDEO = 9;
export const DATA_AMF3 = 15;
export const COMMAND_AMF3 = 17;
export const DATA = 18;
export const COMMAND = 20;

/** User control events (7.1.7). */
export const PING_REQUEST = 6;
export const PING_RESPONSE = 7;
