"""How many deliverers a pool needs: signals, the model that decides, what is written, and what people are told."""
