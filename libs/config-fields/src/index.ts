export { headerName, httpUrl, isHeaderName, isHeaderValue, slug } from './fields.ts';
export { decodeBytes, hasDotSegment, maxDecodings, mayHaveDotSegment } from './dot-segments.ts';
export { plainMessage } from './plain-message.ts';
export { namesInQuery, queryNamesOf, withoutNames } from './query-names.ts';
export { clearedSecret, completeSecret, type FieldMeta, readableSecret, type SecretField, writableSecret } from './secret-field.ts';
export { escapeLocation, putAtLocations, takeSecrets } from './secret-locations.ts';
export { taggedUnionOf } from './tagged-union.ts';
