export { BoundedCache, CacheBudget } from './bounded-cache.ts';
