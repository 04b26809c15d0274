/** The command {@code gatun}: one class a subcommand, and what they share. */
package dev.gatun.cli;
