"""A made-up world, told to an assistant over a year, of which all that holds is known exactly.

What happens in a world follows from its size and its seed. How it is told is one of two wordings,
and both are reported, since they ask for different things:

- **plain**: every telling of an attribute has the word in it by which people would ask for it
  (extension, rent, deadline), or an inflection or derivation of that word (led by, leads, the lead
  of). All else varies: the order and the syntax, what stands around it, other words for the rest,
  the form of dates and units, how a change or a correction is put. Who reads it needs no knowledge
  of the world, but has to see past the form, and must not take one digit, one name or one `not`
  for form. The headline measures are of this wording.
- **free**: people's own words, in which that word need not occur: somebody's mentor is who "has
  taken them under their wing", a rent is what "the landlord gets". That two such tellings are one
  fact can only be known by who knows the language, which a system without a language model mostly
  does not: a low recall is expected here, and a wrong merge is as wrong as ever. Measures of this
  wording end in `.reworded`. They say what the headline leaves out, and how much there is to gain.

Small talk, openers, cues and the frames around what is told late are the same in both.
"""
