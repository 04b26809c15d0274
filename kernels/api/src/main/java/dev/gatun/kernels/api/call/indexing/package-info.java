/** Rows by their numbers, and elements laid out in another way. */
package dev.gatun.kernels.api.call.indexing;
