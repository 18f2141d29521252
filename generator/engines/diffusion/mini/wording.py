"""The first lesson of the text encoder: what a caption tells. Through pictures alone it would take far longer."""

import random

import torch

from generator.engines.diffusion.mini import vocabulary
from generator.engines.diffusion.mini.captions import COMBINATIONS, LIGHTS, MEDIA, SUBJECTS, Caption, labels_of
from generator.engines.diffusion.mini.learning import draw_caption
from generator.engines.diffusion.mini.network import Mini

STEPS = 250
BATCH = 96
RATE = 2e-3
WARM_UP_STEPS = 30
SIZES = (len(SUBJECTS), len(MEDIA), len(LIGHTS))


def teach_words(mini: Mini, steps: int = STEPS, batch: int = BATCH) -> float:
    """Teach the text encoder to tell subject, medium and light, or their absence, apart; return the last loss."""
    width = mini.text.config.hidden_size
    heads = torch.nn.ModuleList(torch.nn.Linear(width, size + 1) for size in SIZES).to(mini.text.device)
    optimizer = torch.optim.AdamW([*mini.text.parameters(), *heads.parameters()], lr=RATE)
    rng, loss = random.Random(0), torch.zeros(())  # noqa: S311 - teaching needs no secrets
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = RATE * min(1.0, (step + 1) / WARM_UP_STEPS) * (1 - step / steps)
        numbers = [rng.randrange(COMBINATIONS) for _ in range(batch)]
        captions = [draw_caption(number, rng) for number in numbers]
        tokens = vocabulary.tokens_of(mini.tokenizer, [one.text for one in captions])
        pooled = mini.text(torch.tensor(tokens, device=mini.text.device)).last_hidden_state.mean(1)
        answers = torch.tensor([_answers(*pair) for pair in zip(numbers, captions, strict=True)])
        answers = answers.to(mini.text.device)
        losses = [torch.nn.functional.cross_entropy(head(pooled), answers[:, k]) for k, head in enumerate(heads)]
        loss = torch.stack(losses).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return float(loss.detach())


def _answers(number: int, caption: Caption) -> list[int]:
    """Return what a caption of picture `number` tells; the place after the last means that it does not."""
    labels = labels_of(number)
    values = (labels.subject, labels.medium, labels.light)
    return [value if told else size for value, told, size in zip(values, caption.told, SIZES, strict=True)]
