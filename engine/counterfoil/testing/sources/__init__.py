"""The parts of the source contract; `counterfoil.testing` shows what authors use."""
