"""Chats by transformers' apply_chat_template: texts, token ids, and small model directories and a GGUF file that have the templates. Usage: make_chats.py GOLDENS"""
import datetime, json, shutil, sys
from pathlib import Path
import gguf, tokenizers, transformers
from transformers import AddedToken, PreTrainedTokenizerFast
from transformers.utils import chat_template_utils

goldens = Path(sys.argv[1])
out = goldens / "chats"
shutil.rmtree(out, ignore_errors=True)
out.mkdir()


class At(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return cls(2026, 3, 5, 14, 7, 9)


chat_template_utils.datetime = At

CHATML = ("{% for m in messages %}{{ '<|im_start|>' + m.role + '\\n' }}{% if m.content is string %}{{ m.content }}{% else %}"
          "{% for part in m.content %}{{ part.text }}{% endfor %}{% endif %}{{ '<|im_end|>\\n' }}{% endfor %}"
          "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}")
TOOLS = ("{{ bos_token }}{% if tools %}<|im_start|>system\n{% for t in tools %}{{ t | tojson }}\n{% endfor %}<|im_end|>\n{% endif %}"
         "{% for d in documents or [] %}<|doc|>{{ d.title }}: {{ d.text }}\n{% endfor %}"
         "{% for m in messages %}<|im_start|>{{ m.role }}\n{% if m.reasoning_content %}<think>{{ m.reasoning_content }}</think>\n{% endif %}{{ m.content or '' }}"
         "{% for c in m.tool_calls or [] %}<tool_call>{{ {'name': c.function.name, 'arguments': c.function.arguments} | tojson }}</tool_call>{% endfor %}<|im_end|>\n{% endfor %}"
         "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}")
TURNS = ("{{ bos_token }}{% for m in messages %}{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('roles must alternate') }}{% endif %}"
         "{% if m.role == 'user' %}[INST] {{ m.content | trim }} [/INST]{% else %} {{ m.content | trim }}{{ eos_token }}{% endif %}{% endfor %}")
HEADERS = ("{% for m in messages %}{{ '<|' + m.role + '|>' }}\n{{ m.content }}<|end|>\n{% endfor %}{% if add_generation_prompt %}<|assistant|>\n{% endif %}")

tools = [{"type": "function", "function": {"name": "weather", "description": "Weather of a city", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}}]
documents = [{"title": "Gatún", "text": "Three locks lift ships to the lake."}]
hello = [{"role": "user", "content": "  How do ships climb over the isthmus? "}]
turns = hello + [{"role": "assistant", "content": "By locks, 26 m up.\n\n"}, {"role": "user", "content": "¿Y el lago? 한국어 😀"}]
system = [{"role": "system", "content": "Be brief."}] + turns
calls = hello + [{"role": "assistant", "content": None, "reasoning_content": "Ask for it.", "tool_calls": [{"type": "function", "function": {"name": "weather", "arguments": {"city": "Colón", "days": 2}}}]}, {"role": "tool", "content": "{\"c\": 31.5}"}]
opened = hello + [{"role": "assistant", "content": "By locks, which "}]
thought = hello + [{"role": "assistant", "content": "x", "reasoning_content": "Locks, I"}]
parts = [{"role": "user", "content": [{"type": "text", "text": "Tell "}, {"type": "text", "text": "me."}]}, {"role": "assistant", "content": [{"type": "text", "text": "The  lake "}]}]

chats = [{"messages": hello}, {"messages": hello, "add_generation_prompt": True}, {"messages": turns, "add_generation_prompt": True}, {"messages": system, "add_generation_prompt": True},
         {"messages": calls, "tools": tools, "add_generation_prompt": True}, {"messages": turns, "documents": documents, "add_generation_prompt": True}, {"messages": opened, "continue_final_message": "content"},
         {"messages": thought, "continue_final_message": "reasoning_content"}, {"messages": parts}, {"messages": parts, "continue_final_message": "content"}]


def made(tokenizer, chat, **more):
    given = {k: v for k, v in chat.items() if k != "variables"} | chat.get("variables", {}) | more
    messages = given.pop("messages")
    try:
        text = tokenizer.apply_chat_template(messages, tokenize=False, **given)
        ids = tokenizer.apply_chat_template(messages, return_dict=False, **given)
        return {"output": text, "ids": ids}
    except Exception as e:
        return {"error": type(e).__name__}


def write(tokenizer, name, templates):
    tokenizer.chat_template = templates
    folder = out / name
    tokenizer.save_pretrained(folder, save_jinja_files=name != "listed")
    again = transformers.AutoTokenizer.from_pretrained(folder)
    cases = []
    for chat in chats:
        for template in (list(templates) if isinstance(templates, dict) else [None]):
            cases.append({"chat": chats.index(chat), "template": template} | made(again, chat, **({"chat_template": template} if template else {})))
        if isinstance(templates, dict):
            cases.append({"chat": chats.index(chat), "template": None} | made(again, chat))
    return {"directory": name, "cases": cases}


def special(text, **how):
    return AddedToken(text, special=True, normalized=False, **how)


def byte_bpe():
    tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(goldens / "tokenizers/byte-bpe.tokenizer.json"), eos_token="<|im_end|>", bos_token="<|endoftext|>")
    tokenizer.add_tokens([special(t) for t in ("<|im_start|>", "<|im_end|>", "<|doc|>", "<|user|>", "<|assistant|>", "<|system|>", "<|tool|>")] + [special("<|end|>", rstrip=True)])
    tokenizer.add_tokens([AddedToken(t, special=False, normalized=False) for t in ("<think>", "</think>", "<tool_call>", "</tool_call>")])
    return tokenizer


directories = [write(byte_bpe(), "listed", {"default": CHATML, "tool_use": TOOLS}), write(byte_bpe(), "single", HEADERS), write(byte_bpe(), "files", {"default": TURNS, "tool_use": TOOLS})]

more = json.loads((goldens / "chat-templates-more/case.json").read_text(encoding="utf-8"))
features = []
plain = byte_bpe()
for name, template in more["templates"].items():
    for context, values in more["contexts"].items():
        known = ("messages", "tools", "documents", "add_generation_prompt")
        chat = {k: v for k, v in values.items() if k in known} | {"variables": {k: v for k, v in values.items() if k not in known}}
        result = made(plain, chat, chat_template=template["template"])
        result.pop("ids", None)
        features.append({"template": name, "context": context} | result)

writer = gguf.GGUFWriter(out / "chat.vocab.gguf", "llama")
reader = gguf.GGUFReader(goldens / "tokenizers/sp-llama.vocab.gguf")
keys = {k: f.contents() for k, f in reader.fields.items() if k.startswith("tokenizer.ggml.")}
n = len(keys["tokenizer.ggml.tokens"])
writer.add_tokenizer_model("llama")
writer.add_token_list(keys["tokenizer.ggml.tokens"] + ["<|im_start|>", "<|im_end|>"])
writer.add_token_scores(keys["tokenizer.ggml.scores"] + [0.0, 0.0])
writer.add_token_types(keys["tokenizer.ggml.token_type"] + [3, 3])
writer.add_bos_token_id(1)
writer.add_eos_token_id(2)
writer.add_unk_token_id(0)
writer.add_chat_template([{"name": "default", "template": TURNS}, {"name": "chatml", "template": CHATML}])
writer.write_header_to_file()
writer.write_kv_data_to_file()
writer.close()

case = {"transformers": transformers.__version__, "tokenizers": tokenizers.__version__, "chats": chats, "directories": directories, "features": features}
(out / "case.json").write_text(json.dumps(case, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
