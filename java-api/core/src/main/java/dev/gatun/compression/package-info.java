/** Models made smaller: weights in blocks, in files that others read too. */
package dev.gatun.compression;
