/** What kernels read and write: elements, blocks of them, views, and the memory that has them. */
package dev.gatun.kernels.api.memory;
