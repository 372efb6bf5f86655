"""All accepted objects become one policy, published; and what each object's conditions say of that."""
