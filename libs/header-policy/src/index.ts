export { canonicalName } from './canonical-name.ts';
export { isHopByHop, isReservedHeader } from './reserved-names.ts';
