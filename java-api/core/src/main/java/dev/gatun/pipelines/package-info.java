/** Texts in, answers out: a model directory with its tokenizer as one object a task. */
package dev.gatun.pipelines;
