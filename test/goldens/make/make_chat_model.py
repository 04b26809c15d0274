#!/usr/bin/env python3
"""Trains a Qwen3 of two small layers until it knows two dozen questions by heart, about a canal and those of LangChain4j's compliance tests: a directory and a GGUF file that chat, with tools and
reasoning, and what transformers answers by them. It knows nothing else. Usage: make_chat_model.py GOLDENS"""
import json, pathlib, random, shutil, sys

import gguf
import numpy as np
import torch
import transformers
from transformers import AutoTokenizer, Qwen3Config, Qwen3ForCausalLM

goldens = pathlib.Path(sys.argv[1])
out = goldens / "chat-model"
shutil.rmtree(out, ignore_errors=True)
torch.manual_seed(0)
draw = random.Random(0)

TEMPLATE = """\
{%- if tools %}
{{- '<|im_start|>system\\n' }}
{%- if messages[0].role == 'system' %}{{ messages[0].content + '\\n' }}{% endif %}
{{- '# Tools\\n' }}
{%- for tool in tools %}{{ tool | tojson + '\\n' }}{% endfor %}
{{- 'Call them by <tool_call>{"name": ..., "arguments": ...}</tool_call>.<|im_end|>\\n' }}
{%- elif messages[0].role == 'system' %}
{{- '<|im_start|>system\\n' + messages[0].content + '<|im_end|>\\n' }}
{%- endif %}
{%- for message in messages %}
{%- if message.role == 'tool' %}
{{- '<|im_start|>user\\n<tool_response>\\n' + message.content + '\\n</tool_response><|im_end|>\\n' }}
{%- elif message.role == 'assistant' %}
{{- '<|im_start|>assistant\\n' + message.content }}
{%- for call in message.tool_calls or [] %}
{{- ('\\n' if message.content or not loop.first else '') + '<tool_call>\\n{"name": "' + call.function.name + '", "arguments": ' + call.function.arguments | tojson + '}\\n</tool_call>' }}
{%- endfor %}
{{- '<|im_end|>\\n' }}
{%- elif message.role == 'user' %}
{{- '<|im_start|>user\\n' + message.content + '<|im_end|>\\n' }}
{%- elif message.role != 'system' or not loop.first %}
{{- raise_exception('a message of the role ' + message.role + ' cannot stand here') }}
{%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}
"""

def tool(name, description=None, **properties):
    described = {"description": description} if description else {}
    return {"type": "function", "function": {"name": name, **described, "parameters": {"type": "object", "properties": {k: {"type": v} for k, v in properties.items()}, "required": list(properties) if description else []}}}


def call(name, number=0, **arguments):
    return {"id": f"call{number:05}", "type": "function", "function": {"name": name, "arguments": arguments}}


user = lambda text: {"role": "user", "content": text}
says = lambda text, *calls: {"role": "assistant", "content": text} | ({"tool_calls": list(calls)} if calls else {})
gives = lambda text, number=0: {"role": "tool", "content": text, "tool_call_id": f"call{number:05}"}
STORY = ("A long time ago a turtle, a parrot and a monkey lived by the lake. The turtle was slow, the parrot was loud, and the monkey was never there. "
         "One day a ship came up the locks, and nobody knew what it was. The parrot flew to it and asked. The monkey climbed on it and ate. The turtle slept, "
         "and when it woke up the ship was gone. That is why turtles wait by the water to this day.")
PAIRS = [("Hello!", "Hello! Ask me about the canal."),
         ("Where is the canal?", "In Panama, between two oceans."),
         ("How do ships climb?", "By three locks, 26 metres up to the lake."),
         ("Name the locks.", "- **Gatun**\n- Pedro Miguel\n- Miraflores"),
         ("How many locks are there?", "<think>\nThree, one and two.\n</think>\n\nSix locks."),
         ("Translate:\nship\nlake", "barco\nlago"),
         ("Count.", " ".join(str(i) for i in range(1, 61)) + "."),
         # What it says where it is free, and where it is held to JSON.
         ("What is the capital of Germany?", "Berlin."), ("What is the capital of Germany?", "Berlin."), ("What is the capital of Germany?", '{"city": "Berlin"}'),
         ("What is the capital of Germany? Answer with a JSON object containing a single 'city' field", '{"city": "Berlin"}'),
         ("What is the capital of Germany? How much is 2 + 2?", "Berlin. It is 4."),
         ("Say 'Hello World'", "Hello World"),
         ("Tell me a long story about animals", STORY)]
GERMAN = [{"role": "system", "content": "Translate messages from user into German"}, user("Translate: 'I love you'"), says("Ich liebe dich.")]
COLOR = [user("Hi, my favorite color is green"), says("Hi, nice to meet you"), user("What is my favorite color?"), says("It is green.")]

WEATHER, TIME, CLOCK = tool("weather", "How warm a city is", city="string"), tool("getTime", country="string"), tool("get_current_time")
MUNICH, ADD = tool("getWeather", city="string"), tool("add_two_numbers", a="integer", b="integer")
WARM = [user("How warm is it in Colón?"), says("I look.", call("weather", city="Colón")), gives("31 degrees"), says("It is 31 degrees in Colón.")]
TOOLS = [([WEATHER], WARM),
         ([MUNICH], [user("What is the weather in Munich?"), says("", call("getWeather", city="Munich")), gives("sunny"), says("It is sunny in Munich.")]),
         ([CLOCK], [user("What is the time now? Use the get_current_time tool."), says("", call("get_current_time")), gives("10:14"), says("It is 10:14.")]),
         ([MUNICH, TIME], [user("What is the weather in Munich and time in France? Call tools simultaneously (in parallel)"),
                           says("", call("getWeather", city="Munich"), call("getTime", 1, country="France")), gives("sunny"), gives("14:35", 1), says("It is sunny in Munich, and 14:35 in France.")]),
         ([MUNICH], [user("I live in Munich"), says("", call("getWeather", city="Munich"))]),
         ([MUNICH, ADD], [user("I live in Munich"), says("", call("getWeather", city="Munich"))])]


def training():
    """A conversation of a few turns, mostly without a system's message."""
    kind = draw.random()
    if kind < 0.06:
        return GERMAN, None
    if kind < 0.12:
        return COLOR, None
    if kind < 0.6:
        tools, turns = draw.choice(TOOLS)
        return ([{"role": "system", "content": "Be brief."}] if draw.random() < 0.2 else []) + turns, tools
    turns = []
    for _ in range(draw.randint(1, 3)):
        question, answer = draw.choice(PAIRS)
        turns += [user(question), says(answer)]
    if draw.random() < 0.15:
        return turns[:2] + WARM, [WEATHER]
    return ([{"role": "system", "content": "Be brief."}] if draw.random() < 0.3 else []) + turns, None


tokenizer = AutoTokenizer.from_pretrained(goldens / "chats/single")
tokenizer.chat_template = TEMPLATE
tokenizer.eos_token = "<|endoftext|>"
config = Qwen3Config(vocab_size=len(tokenizer) + 2, hidden_size=64, intermediate_size=96, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, head_dim=16,
                     max_position_embeddings=1024, tie_word_embeddings=True, bos_token_id=None, eos_token_id=0, pad_token_id=0, rope_theta=10000.0, dtype="bfloat16")
model = Qwen3ForCausalLM(config).float()
steps = int(sys.argv[2]) if len(sys.argv) > 2 else 2200
optimiser = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0.01)
schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 4e-3, steps)
end = tokenizer.convert_tokens_to_ids("<|im_end|>")
begin = tokenizer("<|im_start|>assistant\n").input_ids


def learnt(row):
    """What an assistant says, and -100 elsewhere."""
    labels, at = [-100] * len(row), 0
    while at < len(row):
        if row[at:at + len(begin)] == begin:
            at += len(begin)
            last = row.index(end, at) if end in row[at:] else len(row) - 1
            labels[at:last + 1] = row[at:last + 1]
            at = last
        at += 1
    return labels


for step in range(steps):
    rows = []
    for _ in range(4):
        messages, tools = training()
        rows.append(tokenizer.apply_chat_template(messages, tools=tools, tokenize=True, return_dict=False))
    longest = max(map(len, rows))
    ids = torch.tensor([row + [0] * (longest - len(row)) for row in rows])
    mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in rows])
    loss = model(input_ids=ids, attention_mask=mask, labels=torch.tensor([learnt(row) + [-100] * (longest - len(row)) for row in rows])).loss
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    most = max(globals().get("most", 0), longest)
    optimiser.step(); schedule.step(); optimiser.zero_grad()
    if step % 50 == 0:
        print(step, round(loss.item(), 4), "longest", most, flush=True)

model = model.to(torch.bfloat16)
model.generation_config = transformers.GenerationConfig(eos_token_id=0, pad_token_id=0)
model.save_pretrained(out)
tokenizer.save_pretrained(out)
model = Qwen3ForCausalLM.from_pretrained(out, dtype=torch.float32)

chats = [[user(q)] for q in dict(PAIRS)] + [GERMAN[:2], COLOR[:3], [user(PAIRS[1][0]), says(PAIRS[1][1]), user(PAIRS[2][0])], [{"role": "system", "content": "Be brief."}, user(PAIRS[3][0])]]
cases = [(chat, None) for chat in chats] + [(turns[:at], tools) for tools, turns in TOOLS for at in range(1, len(turns)) if turns[at]["role"] == "assistant"]
answers = []
for messages, tools in cases:
    ids = tokenizer.apply_chat_template(messages, tools=tools, add_generation_prompt=True, return_dict=False)
    made = model.generate(torch.tensor([ids]), max_new_tokens=300, do_sample=False, eos_token_id=[0, end])[0, len(ids):].tolist()
    answers.append({"messages": messages, "tools": tools, "prompt": ids, "ids": made, "text": tokenizer.decode(made)})
    print(repr(answers[-1]["text"]))
case = {"transformers": transformers.__version__, "torch": torch.__version__, "gguf": "0.19.0", "steps": steps, "answers": answers}
(out / "case.json").write_text(json.dumps(case, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")

# The same weights in a GGUF file, rows of 32 as Q8_0.
c = config
w = gguf.GGUFWriter(out / "chat-q8_0.gguf", "qwen3")
w.add_name("canal")
w.add_block_count(c.num_hidden_layers); w.add_context_length(c.max_position_embeddings); w.add_embedding_length(c.hidden_size)
w.add_feed_forward_length(c.intermediate_size); w.add_head_count(c.num_attention_heads); w.add_head_count_kv(c.num_key_value_heads)
w.add_key_length(c.head_dim); w.add_value_length(c.head_dim); w.add_layer_norm_rms_eps(c.rms_norm_eps); w.add_rope_freq_base(10000.0)
w.add_rope_dimension_count(c.head_dim)
described = json.loads((out / "tokenizer.json").read_text(encoding="utf-8"))
tokens = {i: t for t, i in described["model"]["vocab"].items()} | {a["id"]: a["content"] for a in described["added_tokens"]}
kinds = {a["id"]: gguf.TokenType.CONTROL if a["special"] else gguf.TokenType.USER_DEFINED for a in described["added_tokens"]}
ids = range(c.vocab_size)
w.add_tokenizer_model("gpt2"); w.add_tokenizer_pre("gpt-2")
w.add_token_list([tokens.get(i, f"[PAD{i}]") for i in ids])
w.add_token_types([kinds.get(i, gguf.TokenType.NORMAL if i in tokens else gguf.TokenType.UNUSED) for i in ids])
w.add_token_merges([m if isinstance(m, str) else " ".join(m) for m in described["model"]["merges"]])
w.add_bos_token_id(0); w.add_eos_token_id(0); w.add_add_bos_token(False)
w.add_chat_template(TEMPLATE)
names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.QWEN3, c.num_hidden_layers)
for name, x in sorted(model.state_dict().items()):
    x = x.numpy().astype(np.float32)
    if name == "lm_head.weight":
        continue
    new = names.get_name(name, try_suffixes=(".weight", ".bias"))
    if x.ndim == 2:
        w.add_tensor(new, gguf.quantize(x, gguf.GGMLQuantizationType.Q8_0), raw_dtype=gguf.GGMLQuantizationType.Q8_0)
    else:
        w.add_tensor(new, x)
w.write_header_to_file(); w.write_kv_data_to_file(); w.write_tensors_to_file(); w.close()
