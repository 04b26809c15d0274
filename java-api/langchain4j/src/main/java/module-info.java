/** Models of Gatun behind LangChain4j's interfaces. */
module dev.gatun.langchain4j {
  requires transitive dev.gatun;
  requires transitive langchain4j.core;
  // Of what an automatic module needs, the module path knows nothing.
  requires com.fasterxml.jackson.databind;
  requires org.slf4j;

  exports dev.gatun.langchain4j;
}
