/** Text files that are read the same way wherever they belong; not exported. */
package dev.gatun.files;
