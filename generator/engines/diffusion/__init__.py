"""The diffusion engine: Stable Diffusion models, with each denoising step shared between the orders of all users."""
