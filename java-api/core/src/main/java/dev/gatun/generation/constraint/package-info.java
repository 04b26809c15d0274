/** Languages that an output may be held to: their notations, and which tokens may come next. */
package dev.gatun.generation.constraint;
